"""One finding changed, everything else as it was."""

import numpy as np
import pytest

from syncxr.errors import SyncxrError
from syncxr.images.counterfactual import counterfactual, pair
from syncxr.images.simulation.renderer import SimulationRenderer

TEXT = "Small left pleural effusion. No pneumothorax. Heart size is normal."


def test_only_the_finding_changes(renderer: SimulationRenderer) -> None:
    made = pair(renderer, TEXT, 3, remove="left pleural effusion")
    mask = made.film.masks["mild left pleural effusion"]
    difference = np.abs(made.film.image.astype(int) - made.changed_film.image)
    assert difference[mask].mean() > 10
    rows, columns = np.nonzero(mask)
    far = np.ones_like(mask)
    far[max(0, rows.min() - 20) : rows.max() + 20, max(0, columns.min() - 20) :] = False
    assert difference[far].max() <= 2
    assert made.changed_film.shown == ()
    scene = ("pose", "exposure", "markers", "borders", "patient")
    assert all(made.film.parameters[k] == made.changed_film.parameters[k] for k in scene)


def test_added_and_changed(renderer: SimulationRenderer) -> None:
    added = pair(renderer, TEXT, 3, add="large right pneumothorax")
    assert "severe right pneumothorax" in {str(e) for e in added.changed_film.shown}
    assert "No pneumothorax" not in added.changed_text
    changed = pair(renderer, TEXT, 3, change="large left pleural effusion")
    before, after = changed.film.masks, changed.changed_film.masks
    [small], [large] = before.values(), after.values()
    assert large.sum() > 2 * small.sum()


def test_same_call_same_bytes() -> None:
    one, two = (counterfactual(TEXT, 3, add="right nodule", size=96) for _ in range(2))
    assert one.changed_film.image.tobytes() == two.changed_film.image.tobytes()
    assert one.changed_text == two.changed_text


def test_what_is_refused(renderer: SimulationRenderer) -> None:
    with pytest.raises(SyncxrError, match="one of"):
        pair(renderer, TEXT, 3)
    with pytest.raises(SyncxrError, match="one of"):
        pair(renderer, TEXT, 3, add="nodule", remove="left effusion")
    with pytest.raises(SyncxrError, match="cannot be drawn"):
        pair(renderer, TEXT, 3, add="pulmonary embolism")
