"""Headings of every manner lead to the section that is meant."""

from __future__ import annotations

import pytest
import tiny_mimic
from hypothesis import given
from hypothesis import strategies as st

from syncxr.corpora.sections import Sections, read_sections


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            tiny_mimic.WHOLE,
            Sections(
                "There is a small left pleural effusion. No pneumothorax is seen. The cardiac "
                "silhouette is normal.",
                "Small left pleural effusion.",
            ),
        ),
        (
            tiny_mimic.ONLY_IMPRESSION,
            Sections(
                "",
                "AP chest compared to ___: Moderate pulmonary edema has developed. No "
                "pneumothorax.",
            ),
        ),
        (
            tiny_mimic.ONLY_FINDINGS,
            Sections("The lungs are clear. Heart size is normal."),
        ),
        (
            tiny_mimic.NO_HEADING,
            Sections(
                last_paragraph="Mild cardiomegaly is unchanged. There is right basilar atelectasis."
            ),
        ),
        (tiny_mimic.NOTHING, Sections()),
        ("", Sections()),
    ],
)
def test_reports_in_the_manner_of_mimic(text: str, expected: Sections) -> None:
    assert read_sections(text) == expected


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("FINDINGS", "findings"),
        ("FINDING", "findings"),
        ("FINDGINGS", "findings"),
        ("CHEST, TWO VIEWS", "findings"),
        ("AP PORTABLE CHEST", "findings"),
        ("FRONTAL AND LATERAL RADIOGRAPHS", "findings"),
        ("IMPRESSION", "impression"),
        ("IMPRESSOIN", "impression"),
        ("CONCLUSION", "impression"),
        ("FINDINGS AND IMPRESSION", "impression"),
        ("FINDINGS/IMPRESSION", "impression"),
        ("EXAMINATION", ""),
        ("EXAM", ""),
        ("REASON FOR EXAM", ""),
        ("TYPE OF EXAMINATION", ""),
        ("COMPARISON", ""),
        ("CLINICAL HISTORY", ""),
        ("TECHNIQUE", ""),
        ("RECOMMENDATION(S)", ""),
        ("NOTIFICATION", ""),
        ("WET READ", ""),
    ],
)
def test_what_a_heading_stands_for(heading: str, section: str) -> None:
    found = read_sections(f"\n {heading}:  Some words.\n")
    assert (found.findings, found.impression) == (
        "Some words." if section == "findings" else "",
        "Some words." if section == "impression" else "",
    )


def test_of_two_the_last_that_has_a_text_counts() -> None:
    text = " FINDINGS: First.\n FINDINGS: Second.\n FINDINGS:\n IMPRESSION: Done.\n"
    assert read_sections(text) == Sections("Second.", "Done.")


def test_capitals_within_a_line_are_no_heading() -> None:
    text = " FINDINGS: See NOTE: nothing.\n IMPRESSION: None.\n"
    assert read_sections(text).findings == "See NOTE: nothing."


@given(st.text(alphabet="ABC fi:\n.", max_size=80))
def test_any_text_is_read_and_words_are_not_invented(text: str) -> None:
    found = read_sections(text)
    kept = " ".join((found.findings, found.impression, found.last_paragraph)).split()
    assert set(kept) <= set(text.replace(":", ": ").split()) | set(text.split())
    assert not (found.last_paragraph and (found.findings or found.impression))
