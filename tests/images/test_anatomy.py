"""The cleaned body and the patients made of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from syncxr.images.simulation.anatomy import (
    HELD_OUT,
    RANGES,
    Deformation,
    Landmarks,
    Patient,
    combined,
    sample_patient,
)
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.thorax import LUNGS, Structure

MARKS = Landmarks(
    heart=(19.0, 22.0, -16.0),
    heart_reach=(64.0, 46.0, 55.0, 42.0),
    heart_width=110.0,
    thorax_width=250.0,
    dome=-51.0,
    apex=130.0,
    foot=-130.0,
    back=-95.0,
    front=95.0,
)


def test_cleaned_body_has_no_mass_contrast_or_table() -> None:
    thorax = load_thorax(2.0)
    soft = (thorax.bone == 0) & np.isin(thorax.labels, [Structure.HEART, Structure.AORTA])
    # Contrast medium stood at 1.35 g/cm³.
    assert np.percentile(thorax.water[soft], 99.9) < 1.09
    lung = thorax.mask(*LUNGS)
    blobs, _ = ndimage.label(ndimage.binary_opening((thorax.water > 0.7) & lung, iterations=4))
    # The mass was 6 cm³; nothing of a tenth of that is left within the lungs.
    sizes = np.bincount(blobs.ravel())[1:]
    assert sizes.size == 0 or sizes.max() * 0.008 < 0.6
    body = ndimage.binary_opening(thorax.water > 0.3, iterations=2)
    parts, _ = ndimage.label(body)
    counts = np.sort(np.bincount(parts.ravel())[1:])[::-1]
    assert counts[0] > 0.98 * counts.sum()


def test_removed_mass_is_kept_for_its_shape() -> None:
    thorax = load_thorax(2.0)
    volume = float(thorax.mass.sum()) * 0.008
    assert 4.0 < volume < 16.0
    assert thorax.mass.max() <= 1.0


def test_left_is_left() -> None:
    thorax = load_thorax(2.0)
    x = thorax.axis("x")
    left = thorax.mask(Structure.LEFT_LOWER_LOBE, Structure.LEFT_UPPER_LOBE).any((0, 1))
    assert x[left].mean() > 40
    assert x[thorax.mask(Structure.HEART).any((0, 1))].mean() > 5
    assert thorax.axis("y")[thorax.mask(Structure.SPINE).any((1, 2))].mean() < -20


def test_body_is_not_shared_with_findings() -> None:
    body = load_body(2.0)
    before = float(body.water.sum())
    changed = body.fresh(Patient())
    changed.fill(np.ones_like(changed.water), 1.0)
    assert float(load_body(2.0).water.sum()) == before


@given(st.integers(0, 2**31))
def test_populations_hold_out_ranges(seed: int) -> None:
    def share(patient: object, name: str) -> float:
        low, high = RANGES[name]
        return (getattr(patient, name) - low) / (high - low)

    train = sample_patient(np.random.default_rng(seed), "train")
    held = sample_patient(np.random.default_rng(seed), "held_out")
    assert all(0.2 <= share(train, name) <= 0.8 for name in HELD_OUT)
    outside = [name for name in HELD_OUT if not 0.2 <= share(held, name) <= 0.8]
    assert outside
    assert all(0.0 <= share(held, name) <= 1.0 for name in RANGES)


@given(st.integers(0, 2**31), st.floats(0.40, 0.64))
def test_deformation_never_folds(seed: int, ratio: float) -> None:
    patient = sample_patient(np.random.default_rng(seed), "held_out")
    deformation = Deformation.of(replace(patient, heart_ratio=ratio), MARKS)
    axis = np.linspace(-140, 140, 57, dtype=np.float32)
    x, z = np.meshgrid(axis, axis)
    for depth in (-60.0, 0.0, 40.0):
        points = np.stack([x, np.full_like(x, depth), z], axis=-1)
        moved = deformation(points)
        assert (np.diff(moved[..., 0], axis=1) > 0).all()
        assert (np.diff(moved[..., 2], axis=0) > 0).all()


def test_unchanged_patient_is_the_source() -> None:
    native = MARKS.heart_width / MARKS.thorax_width
    points = np.random.default_rng(0).uniform(-120, 120, (50, 3)).astype(np.float32)
    moved = Deformation.of(replace(Patient(), heart_ratio=native), MARKS)(points)
    assert np.abs(moved - points).max() == pytest.approx(0.0, abs=1e-3)


EXTREMES = {
    "lung_volume": (0.8, 1.15),
    "heart_axis": (-12.0, 12.0),
    "shift": (-30.0, 30.0),
    "upper_shift": (-20.0, 20.0),
    "left_hilum": (0.8, 1.8),
    "right_hilum": (0.8, 1.8),
    "aorta_width": (0.85, 1.6),
    "aorta_tortuosity": (0.0, 18.0),
    "kyphosis": (0.0, 20.0),
    "scoliosis": (-30.0, 30.0),
    "mediastinum": (0.9, 1.6),
}


def least_stretch(patient: Patient, ratio: float = 0.45) -> float:
    """Least determinant of the map's derivative in the frontal plane, over the chest."""
    axis = np.linspace(-140, 140, 141, dtype=np.float32)
    x, z = np.meshgrid(axis, axis)
    worst = np.inf
    for depth in (-60.0, -30.0, 0.0, 30.0, 60.0):
        moved = Deformation.of(replace(patient, heart_ratio=ratio), MARKS)(
            np.stack([x, np.full_like(x, depth), z], axis=-1)
        )
        dx, dz = np.gradient(moved[..., 0], 2.0), np.gradient(moved[..., 2], 2.0)
        worst = min(worst, float((dx[1] * dz[0] - dx[0] * dz[1]).min()))
    return worst


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("ratio", [0.38, 0.68])
def test_no_parameter_folds_at_its_extreme(name: str, ratio: float) -> None:
    for value in EXTREMES[name]:
        assert least_stretch(Patient(**{name: value}), ratio) > 0.02


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("ratio", [0.38, 0.68])
def test_the_farthest_shift_of_several_findings_folds_nothing(sign: float, ratio: float) -> None:
    pushed = combined(Patient(), [{"shift": sign * 30.0, "upper_shift": sign * 20.0}] * 3)
    assert least_stretch(Patient(**pushed), ratio) > 0.02


@pytest.mark.parametrize("shift", [-20.0, 8.0, 25.0])
@pytest.mark.parametrize("ratio", [0.42, 0.6])
def test_shift_moves_the_heart_by_what_was_asked_and_no_wall(shift: float, ratio: float) -> None:
    x = np.linspace(-125, 125, 251, dtype=np.float32)
    points = np.stack([x, np.full_like(x, 22.0), np.full_like(x, -16.0)], axis=-1)
    still = Deformation.of(replace(Patient(), heart_ratio=ratio), MARKS)(points)
    moved = Deformation.of(replace(Patient(shift=shift), heart_ratio=ratio), MARKS)(points)
    # Where the source's midline and the middle of its heart lie in the patient.
    for place in (0.0, 19.0):
        before = np.interp(place, still[:, 0], x)
        assert np.interp(place, moved[:, 0], x) - before == pytest.approx(shift, abs=0.3)
    assert moved[[0, -1], 0] == pytest.approx(still[[0, -1], 0], abs=0.1)
    spine = np.stack([x, np.full_like(x, -75.0), np.full_like(x, -16.0)], axis=-1)
    np.testing.assert_allclose(
        Deformation.of(replace(Patient(shift=shift), heart_ratio=ratio), MARKS)(spine),
        Deformation.of(replace(Patient(), heart_ratio=ratio), MARKS)(spine),
        atol=1e-3,
    )


def test_mirrored_patient_has_the_heart_on_the_right() -> None:
    point = np.array([[-30.0, 20.0, 0.0]], np.float32)
    mirrored = Deformation.of(Patient(mirrored=True), MARKS)(point)
    plain = Deformation.of(Patient(), MARKS)(point * np.array([-1, 1, 1], np.float32))
    np.testing.assert_allclose(mirrored, plain, atol=1e-4)
