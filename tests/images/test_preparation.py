"""The prepared body: upright, arms down, whole."""

import numpy as np
import pytest
from scipy import ndimage

from syncxr.images.simulation.courses import load_courses
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.preparation.girdle import tube
from syncxr.images.simulation.preparation.grid import Grid
from syncxr.images.simulation.thorax import LUNGS, Structure, Thorax


@pytest.fixture(scope="module")
def thorax() -> Thorax:
    return load_thorax(2.0)


def test_spine_stands_upright_in_the_middle(thorax: Thorax) -> None:
    spine = thorax.mask(Structure.SPINE)
    used = np.flatnonzero(spine.sum((0, 2)) > 50)
    middle = (spine.sum(0) * thorax.axis("x")).sum(1)[used] / spine.sum((0, 2))[used]
    assert np.abs(middle).mean() < 4.0
    assert np.abs(middle).max() < 15.0


def test_arms_are_down_and_scapulae_beside_the_lungs(thorax: Thorax) -> None:
    x, z = thorax.axis("x"), thorax.axis("z")
    lungs = thorax.mask(*LUNGS)
    apex = z[lungs.any((0, 2))].max()
    shoulder = thorax.mask(Structure.SHOULDER)
    assert not thorax.mask(Structure.SCAPULA).any()
    # Nothing of the girdle stands above the shoulders, and arms hang at both sides.
    assert not shoulder[:, z > apex + 15.0].any()
    for side in (x < -170.0, x > 170.0):
        assert shoulder[:, z < apex - 150.0][..., side].any()
    # Clavicles cross the apices; below them the lung fields are all but free.
    shadow, girdle = lungs.any(0), shoulder.any(0)
    low = z < apex - 50.0
    assert (shadow & girdle)[low].sum() < 0.1 * shadow[low].sum()
    assert (shadow & girdle)[~low].any()


def test_heart_rests_on_the_diaphragm(thorax: Thorax) -> None:
    heart, lungs = thorax.mask(Structure.HEART), thorax.mask(*LUNGS)
    level = np.arange(heart.shape[1])[None, :, None]
    lowest = np.where(heart, level, 999).min(1)
    under = level - lowest[:, None]
    gap = lungs & (under < 0) & (under >= -24.0 / thorax.spacing)
    columns = (lowest < 999).sum()
    # Only the lung's recess, deeper than an upright heart closes, may show below the heart.
    assert gap.any(1).sum() < 0.35 * columns


def test_neck_and_shoulders_have_no_seam(thorax: Thorax) -> None:
    z, x = thorax.axis("z"), thorax.axis("x")
    apex = z[thorax.mask(*LUNGS).any((0, 2))].max()
    path = (thorax.water + thorax.bone).sum(0) * thorax.spacing / 10.0
    rows = (z > apex + 12.0) & (z < apex + 60.0)
    columns = (np.abs(x) > 12.0) & (np.abs(x) < 45.0)
    steps = np.abs(np.diff(path[rows][:, columns].mean(1)))
    assert steps.max() < 0.8
    assert path[rows][:, columns].min() > 5.0


def test_places_of_the_ct_are_found_again(thorax: Thorax) -> None:
    """Courses are counted from the CT's corner: straightening and margins must not lose them."""
    courses = load_courses(thorax)
    near = ndimage.binary_dilation(thorax.mask(Structure.AIRWAY), iterations=2)
    index = np.rint((courses.trachea - np.array(thorax.origin)) / thorax.spacing).astype(int)
    assert near[index[:, 1], index[:, 2], index[:, 0]].mean() > 0.9
    near = ndimage.binary_dilation(thorax.mask(Structure.RIBS), iterations=2)
    for line in courses.ribs.values():
        index = np.rint((line - np.array(thorax.origin)) / thorax.spacing).astype(int)
        inside = ((index >= 0) & (index < np.array(near.shape)[[2, 0, 1]])).all(1)
        index = index[inside]
        assert near[index[:, 1], index[:, 2], index[:, 0]].mean() > 0.6
    near = ndimage.binary_dilation(thorax.mask(Structure.SHOULDER), iterations=2)
    for line in courses.clavicles.values():
        index = np.rint((line - np.array(thorax.origin)) / thorax.spacing).astype(int)
        assert near[index[:, 1], index[:, 2], index[:, 0]].mean() > 0.8


def test_tube_has_the_bone_of_a_hollow_cylinder() -> None:
    shape = (60, 60, 80)
    labels = np.zeros(shape, np.uint8)
    labels[20:40, 20:40, 20:60] = Structure.LEFT_UPPER_LOBE
    grid = Grid(np.zeros(shape, np.float32), np.zeros(shape, np.float32), labels, 1.0)
    line = np.stack([np.linspace(-30, 30, 121), np.zeros(121), np.zeros(121)], 1).astype(np.float32)
    bone = tube(grid, line, np.full(121, 10.0, np.float32), cortex_mm=2.0)
    middle = bone[:, :, 40].sum()
    wanted = np.pi * (0.85 * (10.0**2 - 8.0**2) + 0.13 * 8.0**2)
    assert middle == pytest.approx(wanted, rel=0.05)
