"""Sentences as the field splits them."""

from syncxr.pretraining.data.captions import candidates, sentences


def test_full_stops_numbering_and_measures() -> None:
    text = "1. Heart is normal. 2. A 1.5 cm nodule on the left. Clear."
    assert sentences(text) == ["Heart is normal.", "A 1.5 cm nodule on the left."]


def test_modes() -> None:
    findings, impression = "Heart is normal. A left nodule.", "A left nodule."
    assert candidates(findings, impression, "sentence") == ("Heart is normal.", "A left nodule.")
    assert candidates(findings, impression, "impression") == (impression,)
    assert candidates(findings, impression, "findings") == (findings,)
    assert candidates(findings, impression, "report") == (f"{impression} {findings}",)


def test_an_empty_section_is_replaced_by_the_other() -> None:
    assert candidates("A left nodule.", " ", "impression") == ("A left nodule.",)
    assert candidates("", "Clear.", "sentence") == ("Clear.",)
