"""Path lengths and attenuation against what geometry and physics say."""

import numpy as np
import pytest
import torch

from syncxr.images.simulation.film.beam import MU_WATER, Matter, spectrum, transmission
from syncxr.images.simulation.projection import Pose, Slabs, cast, integrate, intersections

SPACING = 2.0
AXIS = (np.arange(101, dtype=np.float32) - 50) * SPACING


def project(volume: np.ndarray, pose: Pose, axis: int = 1, size: int = 128) -> np.ndarray:
    """Paths through a (Y, Z, X) volume on the test grid, cm."""
    stacked = volume if axis == 1 else volume.transpose(2, 1, 0)
    slabs = Slabs(axis, AXIS, SPACING, AXIS, AXIS)
    where, lengths = intersections(slabs, cast(pose, size))
    channels = torch.from_numpy(np.ascontiguousarray(stacked[:, None], np.float32))
    return integrate(slabs, channels, where, lengths)[0].numpy()


def rays(pose: Pose, size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    found = cast(pose, size)
    return found.source.astype(float), found.direction.astype(float)


def smooth_ball(centre: tuple[float, float, float], radius: float) -> np.ndarray:
    """A ball with partial voxels at its surface, (Y, Z, X)."""
    fine = (np.arange(-1, 2) / 3) * SPACING
    total = np.zeros((101, 101, 101))
    for oy in fine:
        for oz in fine:
            for ox in fine:
                y, z, x = np.ix_(AXIS + oy, AXIS + oz, AXIS + ox)
                distance = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2
                total += distance <= radius**2
    return (total / 27).astype(np.float32)


@pytest.mark.parametrize(
    "pose",
    [
        Pose(field=260.0),
        Pose(field=260.0, rotation=8.0, tilt=-6.0, roll=3.0, shift_x=7.0, shift_z=-5.0),
        Pose(view="AP", distance=1000.0, field=260.0),
    ],
)
def test_ball_within_one_percent_of_its_diameter(pose: Pose) -> None:
    centre, radius = (15.0, -20.0, 10.0), 50.0
    found = project(smooth_ball(centre, radius), pose)
    source, direction = rays(pose)
    to_centre = np.array(centre) - source
    along = direction @ to_centre
    off = np.sqrt(np.maximum((to_centre**2).sum() - along**2, 0.0))
    exact = 2.0 * np.sqrt(np.clip(radius**2 - off**2, 0.0, None)) / 10.0
    inner = off < radius - 3 * SPACING
    assert np.abs(found - exact)[inner].max() < 0.01 * 2 * radius / 10.0


@pytest.mark.parametrize(("view", "axis"), [("PA", 1), ("AP", 1), ("lateral", 0)])
def test_slab_path_grows_with_the_slant(view: str, axis: int) -> None:
    volume = np.zeros((101, 101, 101), np.float32)
    index: list[slice] = [slice(None)] * 3
    index[0 if axis == 1 else 2] = slice(30, 70)
    volume[tuple(index)] = 1.0
    pose = Pose(view=view, field=160.0)
    found = project(volume, pose, axis)
    _, direction = rays(pose)
    exact = 40 * SPACING / 10.0 / np.abs(direction[..., axis])
    assert np.abs(found / exact - 1.0).max() < 0.01


def test_magnification_follows_the_distances() -> None:
    widths = {}
    for distance, gap in ((1800.0, 150.0), (1000.0, 150.0), (1800.0, 400.0)):
        pose = Pose(distance=distance, gap=gap, field=300.0)
        path = project(smooth_ball((0.0, 0.0, 0.0), 40.0), pose, size=300)
        area = (path > 1.0).sum()
        widths[distance, gap] = np.sqrt(area)
    reference = widths[1800.0, 150.0] / (1800.0 / 1650.0)
    assert widths[1000.0, 150.0] / reference == pytest.approx(1000.0 / 850.0, rel=0.01)
    assert widths[1800.0, 400.0] / reference == pytest.approx(1800.0 / 1400.0, rel=0.01)


def test_left_stays_right_in_both_frontal_views() -> None:
    ball = smooth_ball((40.0, 0.0, 30.0), 20.0)
    for view in ("PA", "AP"):
        rows, columns = np.nonzero(project(ball, Pose(view=view, field=260.0)) > 1.0)
        assert columns.mean() > 64
        assert rows.mean() < 64


def test_front_is_left_in_a_lateral_view() -> None:
    ball = smooth_ball((0.0, 40.0, 0.0), 20.0)
    _, columns = np.nonzero(project(ball, Pose(view="lateral", field=260.0), axis=0) > 1.0)
    assert columns.mean() < 64


def test_rays_along_slabs_are_refused() -> None:
    slabs = Slabs(1, AXIS, SPACING, AXIS, AXIS)
    with pytest.raises(ValueError, match="another axis"):
        intersections(slabs, cast(Pose(view="lateral"), 32))


def test_beer_lambert() -> None:
    water = np.linspace(0.0, 30.0, 31, dtype=np.float32)
    for hardness in (0.0, 0.4, 1.0):
        shares = np.array(spectrum(hardness))
        assert shares.sum() == pytest.approx(1.0, abs=1e-6)
        exact = sum(s * np.exp(-m * water) for s, m in zip(shares, MU_WATER, strict=True))
        along = Matter(torch.from_numpy(water), torch.zeros(len(water)))
        found = transmission(along, hardness).numpy()
        assert np.abs(found / exact - 1.0).max() < 1e-5
        # A polychromatic beam hardens: each further centimetre takes less away than the last.
        slope = np.diff(-np.log(found))
        assert (np.diff(slope) < 0).all()


def test_bone_stands_out_more_in_a_soft_beam() -> None:
    along = Matter(torch.full((2,), 12.0), torch.tensor([0.0, 1.0]))
    soft, hard = (-transmission(along, h).log().diff()[0] for h in (0.0, 1.0))
    assert soft > 1.2 * hard > 0
