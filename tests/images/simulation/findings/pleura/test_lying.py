"""Patients who lie: fluid behind the lung, air before it and in a deep sulcus."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.findings.pleura.lying import AIR_AREA_CM2, FLUID_AREA_CM2
from syncxr.images.simulation.renderer import SimulationRenderer

Insert = Callable[..., tuple[Change, Body]]


def middle(change: Change, body: Body) -> tuple[float, float, float]:
    """Mean y and z of what changed and the height that a twentieth lies above, mm."""
    assert change.extent is not None
    y, z = change.extent.sum((1, 2)), change.extent.sum((0, 2))
    return (
        float((y * body.slabs.centres).sum() / y.sum()),
        float((z * body.slabs.rows).sum() / z.sum()),
        float(np.interp(0.95, z.cumsum() / z.sum(), body.slabs.rows)),
    )


@pytest.mark.parametrize("severity", ["mild", "moderate", "severe"])
def test_fluid_lies_behind_and_air_before(insert: Insert, normal: Body, severity: str) -> None:
    found = {}
    for concept in ("pleural effusion", "pneumothorax"):
        for lies in (False, True):
            body = normal.fresh(Patient(), supine=lies)
            change, _ = insert(concept, "right", severity, seed=4, body=body)
            found[concept, lies] = middle(change, body)
            assert ('"supine": true' in repr(change.parameters).replace("'", '"').lower()) is lies
    y, z, high = 0, 1, 2
    assert found["pleural effusion", True][y] < found["pleural effusion", False][y] - 5.0
    assert found["pneumothorax", True][y] > found["pneumothorax", False][y] + 3.0
    # Fluid spreads upwards, air goes down to the foot.
    assert found["pleural effusion", True][high] > found["pleural effusion", False][high] + 10.0
    assert found["pneumothorax", True][z] < found["pneumothorax", False][z] - 7.0


def test_much_the_same_fluid_whether_upright_or_not(insert: Insert, normal: Body) -> None:
    for severity in ("moderate", "severe"):
        amounts = []
        for lies in (False, True):
            one = [
                insert(
                    "pleural effusion",
                    "left",
                    severity,
                    seed=seed,
                    body=normal.fresh(Patient(), supine=lies),
                )[0].extent.sum()
                for seed in range(3)
            ]
            amounts.append(np.mean(one))
        assert 0.6 < amounts[1] / amounts[0] < 1.6


def test_the_sulcus_grows_deeper_with_more_air(insert: Insert, normal: Body) -> None:
    lateral = np.abs(normal.slabs.columns) > 0.8 * normal.marks.half_width
    depths = []
    for severity in ("mild", "moderate", "severe"):
        body = normal.fresh(Patient(), supine=True)
        change, _ = insert("pneumothorax", "left", severity, body=body)
        rows = np.flatnonzero((change.extent[..., lateral] > 0.5).any((0, 2)))
        depths.append(float(normal.slabs.rows[rows[0]]))
        assert body.water[change.extent > 0.99].max() < 0.01
        # No rib is turned into air.
        assert (body.bone == normal.bone).all()
    assert depths[0] > depths[1] > depths[2] + 4.0


def test_nobody_who_lies_has_a_level(insert: Insert, normal: Body) -> None:
    change, _ = insert(
        "hydropneumothorax", "right", "moderate", body=normal.fresh(Patient(), supine=True)
    )
    said = change.parameters["gaps"]["right"]
    assert "level_mm" not in said
    assert said["fluid_mm"] > 20.0


def test_the_words_lay_the_patient_down(small: SimulationRenderer) -> None:
    for text, areas in (
        ("Supine AP. Moderate right pleural effusion.", FLUID_AREA_CM2),
        ("Supine AP. Moderate right pneumothorax.", AIR_AREA_CM2),
    ):
        study = small.study(RenderRequest(text, 5))
        [mask] = study.film.masks.values()
        low, high = areas["moderate"]
        assert low <= mask.sum() * study.pixel_mm**2 / 100.0 <= high
        assert study.film.parameters["supine"] is True
    upright = small.study(RenderRequest("Erect AP. Right pneumothorax.", 5))
    assert upright.film.parameters["supine"] is False
