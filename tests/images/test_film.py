"""The film against what physics and its own words promise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from syncxr.images.simulation.film.beam import MU_METAL, Matter, fluence, spectrum, transmission
from syncxr.images.simulation.film.borders import Borders
from syncxr.images.simulation.film.detector import detect
from syncxr.images.simulation.film.develop import develop
from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.film.markers import Marker
from syncxr.images.simulation.film.processing import Window, grey_of
from syncxr.images.simulation.film.smooth import gaussian
from syncxr.images.simulation.projection import Pose


def chest(size: int = 96) -> Matter:
    y, x = torch.meshgrid(torch.arange(size) / size, torch.arange(size) / size, indexing="ij")
    water = 6 + 12 * (y > 0.7) + 8 * ((x - 0.5).abs() < 0.12) + 2 * torch.sin(12 * y)
    return Matter(water.float(), 0.4 * (torch.sin(60 * y) > 0.6).float())


@settings(deadline=None, max_examples=20)
@given(st.floats(0.3, 40.0))
def test_smoothing_is_the_gaussian(sigma: float) -> None:
    # Nothing at the edges: what lies beyond is a matter of taste there.
    picture = np.zeros((128, 120), np.float32)
    picture[32:96, 32:88] = np.random.default_rng(0).normal(size=(64, 56))
    picture = ndimage.gaussian_filter(picture, 5.0)
    found = gaussian(torch.from_numpy(picture), sigma).numpy()
    exact = ndimage.gaussian_filter(picture, sigma, mode="nearest")
    assert np.abs(found - exact).max() < 0.06 * picture.std()


def test_fluence_falls_with_the_square_of_the_distance() -> None:
    near, far = (fluence(Pose(distance=d, field=10.0), 5)[2, 2] for d in (1000.0, 2000.0))
    assert near == pytest.approx(1.0, rel=1e-4)
    assert near / far == pytest.approx(4.0, rel=1e-4)
    wide = fluence(Pose(distance=1000.0, field=2000.0), 101)
    # 45 degrees off the axis: twice the square of the distance, and the detector at a slant.
    assert wide[50, 100] == pytest.approx(0.5 * np.cos(np.pi / 4), rel=0.02)


def test_metal_by_its_mass() -> None:
    metal = torch.tensor([0.0, 1.0])
    found = transmission(Matter(torch.zeros(2), torch.zeros(2), metal), 0.5)
    exact = sum(s * np.exp(-m) for s, m in zip(spectrum(0.5), MU_METAL, strict=True))
    assert float(found[1]) == pytest.approx(exact, rel=1e-5)


def test_noise_is_that_of_photons_and_electronics() -> None:
    signal = torch.full((200, 200), 0.1)
    exposure = Exposure(blur=0.0, dose=8000.0, electronic=300.0)
    found = detect(signal, exposure, 1.5, 0).numpy()
    photons = 8000.0 / np.exp(-2.0)
    assert found.std() == pytest.approx(np.sqrt(0.1 / photons + 300.0 / photons**2), rel=0.02)
    finer = detect(signal, exposure, 0.75, 0).numpy()
    assert finer.std() == pytest.approx(2 * found.std(), rel=0.02)


def test_frozen_film_differs_only_where_matter_does() -> None:
    matter = chest()
    made = develop(matter, Exposure(), 1.5, 1)
    water = matter.water.clone()
    water[40:50, 20:30] += 3.0
    again = develop(Matter(water, matter.bone), Exposure(), 1.5, 1, frozen=made.frozen)
    difference = again.image.astype(int) - made.image
    assert (difference[42:48, 22:28] > 5).all()
    difference[28:62, 8:42] = 0
    assert not difference.any()


def test_change_foretells_the_film_without() -> None:
    matter = chest()
    added = Matter(torch.zeros_like(matter.water), torch.zeros_like(matter.bone))
    added.water[40:50, 20:30] = 3.0
    both = Matter(matter.water + added.water, matter.bone)
    quiet = Exposure(dose=1e9, electronic=0.0)
    made = develop(both, quiet, 1.5, 1)
    for found, frozen in zip(made.change(added), (made.frozen, made.held), strict=True):
        without = develop(matter, quiet, 1.5, 1, frozen=frozen)
        assert np.abs(found.numpy() - (made.image.astype(float) - without.image)).max() < 4


def test_a_held_film_differs_without_the_ring_of_sharpening() -> None:
    matter = chest()
    water = matter.water.clone()
    water[40:50, 20:30] += 3.0
    sharp = Exposure(dose=1e9, electronic=0.0, blur=0.0, detail=1.4)
    made = develop(Matter(water, matter.bone), sharp, 1.5, 1)
    inside = np.zeros(made.image.shape, bool)
    inside[39:51, 19:31] = True
    ring, held = (
        np.abs(made.image - develop(matter, sharp, 1.5, 1, frozen=f).image.astype(float))
        for f in (made.frozen, made.held)
    )
    assert ring[~inside].max() > 5
    assert held[~inside].max() <= 1
    assert held[inside].max() > 20


def test_the_shoulder_keeps_what_lies_behind_dense_parts() -> None:
    matter = chest()
    wire = torch.zeros_like(matter.water)
    wire[20:50, 48] = 0.4
    wired = matter._replace(metal=wire)
    # The wire's surroundings are denser than the window's white.
    cut, bent = (
        Exposure(dose=1e9, electronic=0.0, white=64.0, shoulder=shoulder) for shoulder in (1.0, 0.8)
    )
    seen = []
    for exposure in (cut, bent):
        made = develop(wired, exposure, 1.5, 1)
        bare = develop(matter, exposure, 1.5, 1, frozen=made.frozen)
        seen.append(int((made.image.astype(int) - bare.image)[22:48, 48].min()))
    assert seen[0] == 0
    assert seen[1] > 2


@given(st.floats(0.5, 0.95), st.floats(0.7, 1.25))
def test_the_grey_curve_rises_and_bends_without_a_corner(shoulder: float, gamma: float) -> None:
    values = torch.linspace(-0.2, 1.5, 400, dtype=torch.float64)
    curve = Exposure(shoulder=shoulder, gamma=1.0)
    grey = grey_of(values, Window(0.0, 1.0), curve).numpy()
    straight = values.numpy() < shoulder
    assert np.allclose(grey[straight], 255.0 * values.numpy()[straight].clip(0.0), atol=1e-6)
    steps = np.diff(grey[values.numpy() > 0.05])
    assert (steps > 0).all() and (np.diff(steps) < 1e-6).all()
    bright = grey_of(values, Window(0.0, 1.0), Exposure(shoulder=shoulder, gamma=gamma)).numpy()
    assert bright.max() < 255.0


def test_borders_cover_their_share() -> None:
    image = np.full((100, 100), 100, np.uint8)
    framed = Borders(top=0.05, left=0.1, grey=240).draw(image)
    assert (framed[:5] == 240).all() and (framed[:, :10] == 240).all()
    assert (framed[5:, 10:] == 100).all()


@pytest.mark.parametrize("size", [64, 224, 512])
def test_marker_stands_where_it_should(size: int) -> None:
    film = Marker("L", 0.92, 0.08, 0.04).draw(np.full((size, size), 60, np.uint8))
    rows, columns = np.nonzero(film > 120)
    assert rows.mean() / size == pytest.approx(0.08, abs=0.03)
    assert columns.mean() / size == pytest.approx(0.92, abs=0.03)
    assert film.max() > 200
