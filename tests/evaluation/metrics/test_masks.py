"""Overlaps, pointing game and contrast against scikit-learn and by hand."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from syncxr.evaluation.metrics.masks import (
    OVERLAPS,
    contrast_to_noise,
    overlaps,
    pointing_hit,
    swept,
)

THRESHOLDS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
maps = arrays(np.float32, (4, 5), elements=st.sampled_from([0.0, 0.2, 0.25, 0.5, 0.7, 1.0]))
masks = arrays(np.bool_, (4, 5))


@settings(max_examples=60, deadline=None)
@given(maps, masks)
def test_equal_scikit_learn(heat: np.ndarray, mask: np.ndarray) -> None:
    found = swept(heat, mask, THRESHOLDS)
    assert found.shape == (len(THRESHOLDS), len(OVERLAPS))
    for threshold, row in zip(THRESHOLDS, found, strict=True):
        called = (heat >= threshold).ravel()
        true = mask.ravel()
        if not called.any() and not true.any():
            assert (row == 1).all()
            continue
        expected = [
            metric(true, called, zero_division=0)
            for metric in (
                reference.jaccard_score,
                reference.f1_score,
                reference.recall_score,
                reference.precision_score,
            )
        ]
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_thresholds_of_a_float_map() -> None:
    heat = np.full((2, 2), 0.7, np.float32)  # a little less than .7 of eight bytes
    assert swept(heat, np.ones((2, 2), bool), np.array([0.7]))[0, 0] == 1


def test_areas() -> None:
    one = np.array([1.0])
    assert overlaps(2 * one, 4 * one, 3 * one)[0] == pytest.approx([2 / 5, 4 / 7, 2 / 3, 2 / 4])


def test_pointing() -> None:
    heat, mask = np.zeros((3, 4)), np.zeros((3, 4), bool)
    heat[1, 2], mask[1, 2] = 1, True
    assert pointing_hit(heat, mask) == 1
    assert pointing_hit(heat, ~mask) == 0
    assert pointing_hit(np.zeros((3, 4)), mask) == pytest.approx(1 / 12)


def test_contrast_to_noise() -> None:
    heat = np.array([[1.0, 3.0], [0.0, 2.0]])
    mask = np.array([[True, True], [False, False]])
    assert contrast_to_noise(heat, mask) == pytest.approx((2 - 1) / math.sqrt(1 + 1))
    assert contrast_to_noise(heat, ~mask) == -contrast_to_noise(heat, mask)
    assert contrast_to_noise(np.ones((2, 2)), mask) == 0
    assert contrast_to_noise(mask.astype(float), mask) == math.inf
    assert contrast_to_noise(1 - mask.astype(float), mask) == -math.inf
    assert math.isnan(contrast_to_noise(heat, np.zeros((2, 2), bool)))


@pytest.mark.parametrize(
    "score", [pointing_hit, contrast_to_noise, lambda h, m: swept(h, m, THRESHOLDS)]
)
def test_shapes_must_agree(score: object) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        score(np.zeros((3, 4)), np.zeros((4, 3), bool))
