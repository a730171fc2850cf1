"""Labels of public test sets mean one finding each."""

from collections import Counter

import pytest
import yaml

from syncxr.evaluation import findings
from syncxr.evaluation.findings import NORMAL, finding_of, known_findings


def test_labels_of_public_sets() -> None:
    labels = "Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax"
    labels += " Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia"
    found = [finding_of(label) for label in labels.split()]
    assert None not in found and len(set(found)) == 14
    chexpert = (
        "Enlarged Cardiomediastinum, Cardiomegaly, Lung Opacity, Lung Lesion, Edema, "
        "Consolidation, Pneumonia, Atelectasis, Pneumothorax, Pleural Effusion, Pleural Other, "
        "Fracture, Support Devices"
    )
    assert None not in [finding_of(label) for label in chexpert.split(", ")]
    assert finding_of("COVID-19") == "covid-19"


@pytest.mark.parametrize(
    ("label", "finding"),
    [
        ("Pleural Effusion", "pleural effusion"),
        ("Effusion", "pleural effusion"),
        ("pleural_effusion", "pleural effusion"),
        (" Pulmonary Edema ", "edema"),
        ("pectum excavatum", "pectus excavatum"),
        ("NSG tube", "nasogastric tube"),
        ("COPD signs", "chronic obstructive pulmonary disease"),
        ("No Finding", NORMAL),
        ("normal", NORMAL),
        ("Sunburn", None),
        ("", None),
    ],
)
def test_spellings(label: str, finding: str | None) -> None:
    assert finding_of(label) == finding


def test_no_label_means_two_findings() -> None:
    table = yaml.safe_load((findings.Path(findings.__file__).parent / "findings.yaml").read_text())
    words = Counter(w for name, also in table["findings"].items() for w in [name, *also])
    assert max(words.values()) == 1
    for name in known_findings():
        assert finding_of(name) == name
