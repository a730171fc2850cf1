"""What each of several findings does to the patient."""

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
