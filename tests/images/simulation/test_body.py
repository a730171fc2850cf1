"""The body in thick and in thin slabs."""

import numpy as np
import pytest

from syncxr.images.simulation import cutting
from syncxr.images.simulation.body import Body, load_body
from syncxr.images.simulation.cutting import slab_of
from syncxr.images.simulation.findings.lungs import Lung
from syncxr.images.simulation.findings.texture import grain


@pytest.fixture
def thick() -> Body:
    """A coarse body, in slabs of 8 mm."""
    return load_body(4.0)


@pytest.fixture
def thin(thick: Body, monkeypatch: pytest.MonkeyPatch) -> Body:
    """The same in slabs of 4 mm, as fine ones are cut."""
    monkeypatch.setattr(cutting, "SLAB_MM", cutting.FINE_SLAB_MM)
    return load_body.__wrapped__(4.0)


def test_only_fine_bodies_are_cut_thin() -> None:
    assert [slab_of(mm) for mm in (1.0, 1.25, 2.0, 4.0)] == [4.0, 4.0, 8.0, 8.0]


def test_thin_slabs_hold_the_same_body(thin: Body, thick: Body) -> None:
    assert (thin.slabs.thickness, thick.slabs.thickness) == (4.0, 8.0)
    assert len(thin.slabs.centres) == pytest.approx(2 * len(thick.slabs.centres), abs=2)
    for name in ("water", "bone", "heart"):
        one, other = (getattr(b, name).sum(0) * b.slabs.thickness for b in (thin, thick))
        assert one.sum() == pytest.approx(other.sum(), rel=0.01)
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99
    assert np.abs(thin.open_lung - thick.open_lung).mean() < 0.02


def test_a_pattern_is_as_deep_in_thin_slabs(thin: Body, thick: Body) -> None:
    def varies(body: Body) -> float:
        lung = Lung(body, "left", body.boxes["left"], np.random.default_rng(2))
        pattern = lung.texture(grain)
        assert pattern.shape == lung.share.shape
        return float((pattern.sum(0) * body.slabs.thickness).std())

    assert varies(thin) == pytest.approx(varies(thick), rel=0.15)
