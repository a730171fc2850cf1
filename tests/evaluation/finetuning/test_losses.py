"""Losses against slow loops over pixels."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from syncxr.evaluation.finetuning.losses import (
    dice_bce_loss,
    focal_dice_loss,
    focal_loss,
    soft_dice,
)


def reference(logits: np.ndarray, masks: np.ndarray) -> tuple[float, float, float]:
    """Focal loss, Dice and cross-entropy, one pixel after the other."""
    focal = entropy = both = chances = drawn = 0.0
    for logit, true in zip(logits.ravel().tolist(), masks.ravel().tolist(), strict=True):
        chance = 1 / (1 + math.exp(-logit))
        own = chance if true else 1 - chance
        focal += -((1 - own) ** 2) * math.log(own)
        entropy += -math.log(own)
        both += chance * true
        chances += chance
        drawn += true
    dice = (2 * both + 1) / (chances + drawn + 1)
    return focal / logits.size, dice, entropy / logits.size


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 3), st.just(1), st.integers(1, 5), st.integers(1, 5)),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    spread=st.sampled_from([0.1, 2.0, 6.0]),
)
def test_against_the_loop(seed: int, shape: tuple[int, ...], share: float, spread: float) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, spread, shape)
    masks = (generator.random(shape) < share).astype(float)
    focal, dice, entropy = reference(logits, masks)
    given = torch.from_numpy(logits), torch.from_numpy(masks)
    assert focal_loss(*given).item() == pytest.approx(focal, rel=1e-9, abs=1e-12)
    assert soft_dice(*given).item() == pytest.approx(dice, rel=1e-9)
    assert focal_dice_loss(*given).item() == pytest.approx(10 * focal - math.log(dice), rel=1e-9)
    assert dice_bce_loss(*given).item() == pytest.approx(1 - dice + entropy, rel=1e-9)


def test_focal_without_gamma_is_cross_entropy() -> None:
    logits, masks = torch.randn(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    plain = torch.nn.functional.binary_cross_entropy_with_logits(logits, masks)
    assert focal_loss(logits, masks, gamma=0).item() == pytest.approx(plain.item(), rel=1e-6)


def test_sure_and_wrong_stays_finite() -> None:
    logits = torch.full((1, 1, 2, 2), 200.0, requires_grad=True)
    loss = focal_dice_loss(logits, torch.zeros(1, 1, 2, 2))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="differ"):
        focal_loss(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 2))
