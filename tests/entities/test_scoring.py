from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from syncxr.corpora import openi
from syncxr.corpora.report import Report
from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.scoring import (
    MeshRule,
    _concepts,
    disagreements,
    findings_of,
    load_mesh,
    score,
    score_table,
)

REPORTS = [
    Report("CXR1", "Small left pleural effusion.", "", ("Pleural Effusion/left/small",)),
    Report("CXR2", "Left pleural effusion.", "", ("normal",)),
    Report("CXR3", "The heart is enlarged.", "", ("Cardiac Shadow/enlarged", "Cardiomegaly")),
    Report("CXR5", "No pneumothorax.", "", ("Pneumothorax/left",)),
    Report("CXR7", "Mild cardiomegaly.", "", ("normal",)),
    Report("CXR9", "Mild cardiomegaly.", "", ("No Indexing",)),
    Report("CXR11", "", "", ("Cardiomegaly",)),
]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Thickening/pleura/left", True),
        ("Thickening/bronchi", False),
        ("Thickening", False),
        ("Thickening/pleura/breast", False),
        ("Nodule/pleura", False),
    ],
)
def test_a_rule_reads_head_and_subheads(label: str, expected: bool) -> None:
    rule = MeshRule(**{"heads": ["Thickening"], "with": ["pleura"], "without": ["breast"]})
    assert rule.matches(label) is expected


def test_both_sides_of_the_table_name_the_fourteen_findings() -> None:
    assert list(load_mesh().findings) == list(_concepts())
    assert len(_concepts()) == 14
    known = set(load_lexicon().concepts)
    assert all(concepts <= known for concepts in _concepts().values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Small left pleural effusion.", {"Effusion"}),
        ("Probable pneumonia.", {"Pneumonia"}),
        ("Opacity may represent pneumonia.", set()),
        ("Atelectasis versus infiltrate.", {"Atelectasis", "Infiltration"}),
        ("No pneumothorax.", set()),
        ("Borderline cardiomegaly.", {"Cardiomegaly"}),
        ("Calcified granuloma.", set()),
        ("Calcified nodule.", {"Nodule"}),
        ("Pulmonary vascular congestion.", set()),
    ],
)
def test_what_is_affirmed_or_probable_counts(text: str, expected: set[str]) -> None:
    assert findings_of(extract(text)) == expected


def test_counts_of_a_small_collection() -> None:
    result = score(REPORTS, half="odd", resamples=50)
    rows = {row.finding: row for row in result.findings}
    assert result.n_reports == 4
    heart = rows["Cardiomegaly"]
    assert (heart.true_positives, heart.false_positives, heart.false_negatives) == (1, 1, 0)
    assert heart.f1.value == pytest.approx(2 / 3)
    assert rows["Pneumothorax"].false_negatives == 1
    assert rows["Effusion"].f1.value == 1
    everything = result.averages[-1]
    assert everything.findings == ("Cardiomegaly", "Effusion", "Pneumothorax")
    assert everything.micro_f1.value == pytest.approx(4 / 6)
    assert everything.macro_f1.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert result.averages[0].findings == ()
    assert not result.passed
    assert score_table(result).row_count == 14 + 2 * 3
    assert score(REPORTS, half="even").findings[2].false_positives == 1


def test_disagreements_name_report_finding_and_kind() -> None:
    found = [(d.report, d.finding, d.kind) for d in disagreements(REPORTS, half="all")]
    assert found == [
        ("CXR2", "Effusion", "false positive"),
        ("CXR5", "Pneumothorax", "false negative"),
        ("CXR7", "Cardiomegaly", "false positive"),
    ]


def test_averages_agree_with_scikit_learn_on_the_even_half() -> None:
    reports = list(openi.read_reports())
    result = score(reports, half="even", resamples=200)
    mesh = load_mesh()
    kept = [r for r in reports if mesh.indexed(r) and openi.number(r) % 2 == 0]
    names = result.averages[0].findings
    truth = np.array([[n in mesh.read(r.labels) for n in names] for r in kept])
    read = np.array([[n in findings_of(extract(r.text)) for n in names] for r in kept])
    headline = result.averages[0]
    assert headline.micro_f1.value == pytest.approx(f1_score(truth, read, average="micro"))
    assert headline.macro_f1.value == pytest.approx(f1_score(truth, read, average="macro"))
    for figure in (headline.micro_f1, headline.macro_f1):
        assert figure.low < figure.value < figure.high
    assert result.passed
