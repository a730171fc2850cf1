"""Kinds of airspace opacity: how dense, how bounded, with bronchi or without."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change

Insert = Callable[..., tuple[Change, Body]]


def density(body: Body, extent: np.ndarray) -> float:
    return float(body.water[extent > 0.95].mean())


def test_consolidation_is_denser_than_what_hides_no_vessels(insert: Insert) -> None:
    found = {}
    for concept in ("consolidation", "airspace disease", "infiltrate", "opacity"):
        change, body = insert(concept, "right lower zone", "severe")
        found[concept] = density(body, change.extent)
    assert found["consolidation"] > found["airspace disease"] > found["infiltrate"]
    assert found["consolidation"] > 0.75
    assert found["opacity"] < 0.6


@pytest.mark.parametrize("seed", range(3))
def test_fissures_stop_consolidation(insert: Insert, normal: Body, seed: int) -> None:
    change, _ = insert("consolidation", "left", "severe", seed=seed)
    shares = sorted(
        float((change.extent * share).sum())
        for lobe, share in normal.lobes.items()
        if lobe.name.startswith("LEFT")
    )
    assert shares[0] < 0.05 * shares[1]


def test_a_severe_one_fills_its_lobe(insert: Insert, normal: Body) -> None:
    change, _ = insert("consolidation", "right upper lobe", "severe")
    lobe = next(share for lobe, share in normal.lobes.items() if lobe.name == "RIGHT_UPPER_LOBE")
    assert (change.extent * lobe).sum() > 0.6 * lobe.sum()


def test_bronchi_stay_open_within(insert: Insert) -> None:
    change, _ = insert("consolidation", "right lower lobe", "severe")
    assert len(change.shapes) >= 3
    assert all(tube.material.water < 0 for tube in change.shapes)
    assert not insert("opacity", "right lower lobe", "severe")[0].shapes
