from hypothesis import given
from hypothesis import strategies as st

from syncxr.images.prompts import Window, fit

FINDINGS = "The lungs are clear. Small left pleural effusion. The heart is normal in size."
IMPRESSION = "Small left effusion."


def words(limit: int) -> dict[str, Window]:
    """A window of so many words."""
    return {"tokenizer": Window(lambda text: len(text.split()), limit)}


def sections(impression: str = IMPRESSION, findings: str = FINDINGS) -> dict[str, str]:
    return {"impression": impression, "findings": findings}


def test_impression_comes_first_and_all_of_a_short_report_is_told() -> None:
    prompt = fit(sections(), words(77))
    assert prompt.text == f"{IMPRESSION} {FINDINGS}"
    assert prompt.words_cut == {"impression": 0, "findings": 0}
    assert prompt.tokens == {"tokenizer": 17} and prompt.limits == {"tokenizer": 77}


def test_findings_are_taken_by_whole_sentences() -> None:
    prompt = fit(sections(), words(10))
    assert prompt.text == f"{IMPRESSION} The lungs are clear."
    assert prompt.words_cut == {"impression": 0, "findings": 10}


def test_nothing_follows_what_did_not_fit() -> None:
    """Else the model would be told of the heart and not of the effusion before it."""
    prompt = fit(sections("Small.", "A long sentence about an effusion. Clear."), words(3))
    assert prompt.text == "Small." and prompt.words_cut["findings"] == 7


def test_an_impression_that_is_too_long_is_cut_between_words() -> None:
    prompt = fit(sections("Large effusion on the left side. Normal heart."), words(4))
    assert prompt.text == "Large effusion on the"
    assert prompt.words_cut == {"impression": 4, "findings": 14}


def test_prefix_is_kept_and_counted() -> None:
    prompt = fit(sections(), words(6), prefix="Frontal chest film:")
    assert prompt.text == f"Frontal chest film: {IMPRESSION}"


def test_a_report_without_impression_gives_its_findings() -> None:
    assert fit(sections(impression=""), words(77)).text == FINDINGS


def test_the_widest_tokenizer_decides_and_the_narrow_one_is_on_record() -> None:
    narrow, wide = words(3)["tokenizer"], words(7)["tokenizer"]
    prompt = fit(sections(), {"tokenizer": narrow, "tokenizer_2": wide})
    assert prompt.text == f"{IMPRESSION} The lungs are clear."
    assert prompt.tokens["tokenizer"] == 7 > prompt.limits["tokenizer"] == 3


sentences = st.lists(
    st.lists(st.sampled_from(["left", "effusion", "heart", "no"]), min_size=1, max_size=6).map(
        lambda chosen: " ".join(chosen) + "."
    ),
    max_size=5,
).map(" ".join)


@given(sentences, sentences, st.integers(1, 40))
def test_what_is_told_and_what_is_cut_make_the_whole_report(
    impression: str, findings: str, limit: int
) -> None:
    prompt = fit(sections(impression, findings), words(limit))
    whole = f"{impression} {findings}".split()
    told = prompt.text.split()
    assert told == whole[: len(told)] and len(told) <= limit
    assert sum(prompt.words_cut.values()) == len(whole) - len(told)
    assert prompt.tokens["tokenizer"] == len(told)
