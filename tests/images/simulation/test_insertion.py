"""What each of several findings does to the patient."""

import numpy as np
import pytest

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.insertion import insert, patients_without
from syncxr.sample import Entity, Polarity


def finding(concept: str, location: str = "") -> Entity:
    return load_lexicon().concepts[concept].entity(Polarity.PRESENT, location, "severe")


def test_each_shift_is_taken_out_alone() -> None:
    original = Patient(shift=1.0)
    shift = finding("mediastinal shift", "left")
    collapse = finding("lobar collapse", "left upper lobe")
    body = load_body(2.0).fresh(original)
    inserted = insert(body, [shift, collapse], 4, {})
    without = patients_without(original, inserted)
    own = inserted[shift].change.patient["shift"] - original.shift
    pulled = body.patient.shift - inserted[shift].change.patient["shift"]
    assert own > 20.0 and pulled > 1.0
    assert without[shift].shift == pytest.approx(original.shift + pulled)
    assert without[collapse].shift == pytest.approx(original.shift + own)
    # The dome rises with the collapse alone.
    assert without[shift].left_dome == pytest.approx(body.patient.left_dome)
    assert without[collapse].left_dome == original.left_dome


def placed(concept: str, location: str, patient: Patient, seed: int) -> tuple[Patient, Entity]:
    """The patient as one finding makes him."""
    body = load_body(4.0).fresh(patient)
    one = finding(concept, location)
    insert(body, [one], seed, {})
    return body.patient, one


def test_tension_on_both_sides_lowers_both_domes() -> None:
    original = Patient()
    for seed in range(60):
        body = load_body(4.0).fresh(original)
        both = finding("pneumothorax", "bilateral")
        change = insert(body, [both], seed, {})[both].change
        if all(gap.get("tension") for gap in change.parameters["gaps"].values()):
            break
    assert body.patient.left_dome < original.left_dome - 5.0
    assert body.patient.right_dome < original.right_dome - 5.0
    # Two pushes of 8 to 16 mm against each other.
    assert abs(body.patient.shift) <= 8.0


def test_lobes_of_both_sides_pull_each_on_its_own() -> None:
    both, _ = placed("lobar collapse", "bilateral lower lobe", Patient(), 2)
    left, _ = placed("lobar collapse", "left lower lobe", Patient(), 2)
    assert both.left_dome > 8.0 and both.right_dome > 8.0
    assert abs(both.shift) < 2.0 < left.shift
    assert left.right_dome == 0.0


def test_emphysema_of_one_side_lowers_one_dome() -> None:
    one, _ = placed("emphysema", "left", Patient(), 3)
    assert one.left_dome < -25.0
    assert (one.right_dome, one.lung_volume, one.heart_ratio) == (0.0, 1.0, 0.45)
    all_of_it, _ = placed("emphysema", "", Patient(), 3)
    assert all_of_it.right_dome < -25.0 and all_of_it.lung_volume > 1.05


def test_order_of_findings_does_not_change_the_patient() -> None:
    several = [
        finding("mediastinal shift", "left"),
        finding("lobar collapse", "right upper lobe"),
        finding("emphysema", "left"),
        finding("pleural effusion", "right"),
        finding("pulmonary fibrosis"),
    ]
    made = []
    for order in (several, several[::-1]):
        body = load_body(4.0).fresh(Patient(shift=-2.0, lung_volume=0.96))
        insert(body, order, 7, {})
        made.append(body.patient)
    assert made[0] == made[1]


def test_what_one_finding_does_to_vessels_is_not_laid_to_another() -> None:
    thinned, widened = finding("emphysema", "bilateral"), finding("pulmonary congestion")
    alone = insert(load_body(4.0).fresh(Patient()), [thinned], 3, {})[thinned].perfusion
    body = load_body(4.0).fresh(Patient())
    both = insert(body, [thinned, widened], 3, {})
    first, second = both[thinned].perfusion, both[widened].perfusion
    assert first is not None and second is not None and body.perfusion is not None
    np.testing.assert_array_equal(first, alone)
    assert first.max() <= 1.0 <= second.min()
    np.testing.assert_allclose(first * second, body.perfusion, rtol=1e-5)
