"""Air without markings, a line at its edge, shift under tension."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.shapes import Tube

Insert = Callable[..., tuple[Change, Body]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_beyond_the_edge_there_is_only_air(insert: Insert, side: str) -> None:
    change, body = insert("pneumothorax", side, "moderate")
    assert body.water[change.extent > 0.99].max() < 0.01
    assert all(isinstance(shape, Tube) and shape.radius < 1.0 for shape in change.shapes)
    length = sum(
        float(np.linalg.norm(np.diff(tube.points, axis=0), axis=1).sum()) for tube in change.shapes
    )
    assert length > 100.0


def test_the_line_runs_between_air_and_lung(insert: Insert, normal: Body) -> None:
    change, _ = insert("pneumothorax", "right", "severe", seed=3)
    air = change.extent.sum(0) > 0
    [tube] = change.shapes
    for x, _, z in tube.points[2:-2:4]:
        row = int(np.argmin(np.abs(normal.slabs.rows - z)))
        column = int(np.argmin(np.abs(normal.slabs.columns - x)))
        assert air[row - 4 : row + 5, column - 4 : column + 5].any()


def test_at_the_apex_the_side_is_spared(insert: Insert) -> None:
    apical = insert("pneumothorax", "left apex", "moderate")[0].parameters["gaps"]["left"]
    free = insert("pneumothorax", "left", "moderate")[0].parameters["gaps"]["left"]
    assert apical["lateral_mm"] < 0.8 * free["lateral_mm"]


def test_tension_pushes_away_and_down_unless_shift_is_denied(insert: Insert) -> None:
    changes = [insert("pneumothorax", "left", "severe", seed=seed)[0] for seed in range(12)]
    tense = [change for change in changes if change.patient]
    assert 1 <= len(tense) < len(changes)
    for change in tense:
        assert change.patient["shift"] <= -8.0
        assert change.patient["left_dome"] < 0.0
    denied = frozenset({"mediastinal shift"})
    for seed in range(12):
        change, _ = insert("pneumothorax", "left", "severe", seed=seed, denied=denied)
        assert "shift" not in change.patient


def test_fluid_below_air_is_flat(insert: Insert, normal: Body) -> None:
    change, body = insert("hydropneumothorax", "right", "moderate")
    level = change.parameters["gaps"]["right"]["level_mm"]
    lung = normal.lungs["right"] > 0.99
    rows = normal.slabs.rows
    below = lung & (rows < level - 6.0)[None, :, None]
    aside = (normal.slabs.columns < -90.0)[None, None, :]
    assert body.water[below & aside].min() > 0.9
    # What hangs at the hilum stays lung, with fluid before and behind it.
    assert 0.2 < body.water[below].min() < 0.9
    path = (body.water * below).sum(0) / np.maximum(below.sum(0), 1)
    assert path[below.sum(0) > 8].min() > 0.4
    above = (change.extent > 0.99) & lung & (rows > level + 6.0)[None, :, None]
    assert above.any()
    assert body.water[above].max() < 0.05


def test_a_lung_that_collapses_keeps_most_of_its_tissue(insert: Insert, normal: Body) -> None:
    share = normal.lungs["right"]
    densities, masses = [], []
    for severity in ("mild", "moderate", "severe"):
        change, body = insert("pneumothorax", "right", severity, seed=2)
        left_over = (share > 0.99) & (change.extent < 0.01)
        # What thin fissures and the CT's own vessels add is the same in all.
        densities.append(float(np.median(body.water[left_over])))
        masses.append(float((body.water * share)[:, normal.slabs.rows > -20.0].sum()))
        assert change.displaces
        # The mask is the air, not the denser lung.
        assert body.water[change.extent > 0.99].max() < 0.01
    assert densities[0] < 1.3 * float(np.median(normal.water[share > 0.99]))
    assert densities[2] > 1.5 * densities[0] > 0.0
    whole = float((normal.water * share)[:, normal.slabs.rows > -20.0].sum())
    assert all(0.55 * whole < mass < 1.05 * whole for mass in masses)


def test_a_large_one_leaves_the_wall_at_the_hilum(insert: Insert, normal: Body) -> None:
    row = int(np.argmin(np.abs(normal.slabs.rows - normal.marks.carina[2])))
    columns = normal.slabs.columns
    for seed in range(4):
        change, _ = insert("pneumothorax", "left", "severe", seed=seed)
        lung = normal.lungs["left"][:, row]
        kept = (lung - change.extent[:, row]).sum(0) > 0.5
        gap = columns[(lung.sum(0) > 0.5)].max() - columns[kept & (columns > 0)].max()
        assert gap > 20.0
