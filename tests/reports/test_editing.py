"""A report with one statement changed says all else as before."""

import pytest

from syncxr.entities.extraction import entities_of, extract
from syncxr.errors import SyncxrError
from syncxr.reports.editing import add, change, finding, remove
from syncxr.sample import Polarity

REPORT = (
    "FINDINGS: Small left pleural effusion. No pneumothorax or consolidation. Heart size is normal."
    " IMPRESSION: Left pleural effusion."
)


def stated(text: str) -> set[str]:
    return {str(entity) for entity in entities_of(extract(text))}


@pytest.mark.parametrize("seed", range(5))
def test_removed_finding_is_denied(seed: int) -> None:
    edit = remove(REPORT, "left pleural effusion", seed)
    assert {str(e) for e in edit.gone} == {"mild left pleural effusion", "left pleural effusion"}
    assert stated(edit.text) == {
        "no left pleural effusion",
        "no pneumothorax",
        "no consolidation",
        "normal heart",
    }
    assert not edit.text.endswith(":")


@pytest.mark.parametrize("seed", range(5))
def test_added_finding_takes_the_place_of_what_denies_it(seed: int) -> None:
    edit = add(REPORT, "right upper lobe consolidation", seed)
    assert stated(edit.text) == (stated(REPORT) - {"no consolidation"}) | {
        "right upper lobe consolidation"
    }
    edit = add(REPORT, "moderate cardiomegaly", seed)
    assert "normal heart" not in stated(edit.text)
    assert "moderate cardiomegaly" in stated(edit.text)


def test_finding_beside_which_nothing_speaks_is_added_to_the_findings() -> None:
    edit = add(REPORT, "nodule in the right upper lobe")
    head, _, tail = edit.text.partition("IMPRESSION:")
    assert "right upper lobe nodule" in stated(head)
    assert tail == " Left pleural effusion."


def test_changed_grade() -> None:
    edit = change(REPORT, "large pleural effusion")
    assert [str(e) for e in edit.come] == ["severe left pleural effusion"]
    assert not any("mild" in statement for statement in stated(edit.text))


def test_impression_of_several_findings_tells_the_new_grade() -> None:
    text = (
        "FINDINGS: Small left pleural effusion. The heart is enlarged."
        " IMPRESSION: Cardiomegaly. Small left pleural effusion and left basilar atelectasis."
    )
    head, _, tail = change(text, "large left pleural effusion").text.partition("IMPRESSION:")
    assert "severe left pleural effusion" in stated(head)
    assert "severe left pleural effusion" in stated(tail)
    tail = remove(text, "left pleural effusion").text.partition("IMPRESSION:")[2]
    assert not any("effusion" in statement for statement in stated(tail))


def test_one_side_of_two() -> None:
    text = "Small left pleural effusion. Large right pleural effusion."
    edit = remove(text, "left pleural effusion")
    assert stated(edit.text) == {"no left pleural effusion", "severe right pleural effusion"}


def test_what_cannot_be_asked() -> None:
    with pytest.raises(SyncxrError, match="it states mild left pleural effusion"):
        remove(REPORT, "pneumothorax")
    with pytest.raises(SyncxrError, match="already"):
        add(REPORT, "left pleural effusion")
    with pytest.raises(SyncxrError, match="nothing to change"):
        change(REPORT, "large right pneumothorax")
    with pytest.raises(SyncxrError, match="no finding"):
        finding("a rainy day")
    with pytest.raises(SyncxrError, match="2 findings"):
        finding("effusion and pneumothorax")
    assert finding("left effusion").polarity is Polarity.PRESENT
