"""Which films and reports of a real corpus are pre-trained on, as the field does it.

Read off the public code of MGCA and GLoRIA for MIMIC-CXR: frontal films only; the text is
IMPRESSION and FINDINGS; reports with neither, or with fewer than three words in them, are dropped.
"""

from __future__ import annotations

import re

from syncxr.corpora.report import Report
from syncxr.corpora.study import FINDINGS, IMPRESSION, Study

LATERAL = "not known to be a frontal film"

_FRONTAL = frozenset({"PA", "AP", "FRONTAL"})

_WORD = re.compile(r"\w+")

_LEAST_WORDS = 3


def study_rule(study: Study) -> str:
    """The rule by which all films of a study are left out, or ``""``."""
    if study.split == "test":
        return "test split of the corpus"
    if study.report is None:
        return "no report"
    if study.sections.isdisjoint({FINDINGS, IMPRESSION, "text"}):
        return "neither FINDINGS nor IMPRESSION"
    return "" if _words(study.report) >= _LEAST_WORDS else f"fewer than {_LEAST_WORDS} words"


def is_frontal(view: str) -> bool:
    """Whether a view as corpora name it is taken from the front or the back."""
    return view.upper() in _FRONTAL


def _words(report: Report) -> int:
    return len(_WORD.findall(report.text))
