"""Losses of segmentation, from their formulas."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

SMOOTH = 1.0
"""Added above and below the Dice fraction (GLoRIA, MGCA): it is 1 for empty on empty."""


def focal_loss(logits: Tensor, masks: Tensor, gamma: float = 2.0) -> Tensor:
    r"""Mean over pixels of :math:`-(1 - p_t)^\gamma \log p_t` (Lin et al., ICCV 2017).

    :math:`p_t` is the probability given to what the pixel is.

    Args:
        logits: Any shape.
        masks: 0 or 1, of the same shape.
        gamma: γ ≥ 0; 0 is binary cross-entropy.
    """
    _check(logits, masks)
    own = logsigmoid(logits * (2 * masks - 1))
    return (-((1 - own.exp()) ** gamma) * own).mean()


def soft_dice(logits: Tensor, masks: Tensor) -> Tensor:
    r""":math:`\frac{2\sum pm + 1}{\sum p + \sum m + 1}` over all pixels of the batch together."""
    _check(logits, masks)
    chances = logits.sigmoid()
    both = (chances * masks).sum()
    return (2 * both + SMOOTH) / (chances.sum() + masks.sum() + SMOOTH)


def focal_dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """10 · focal(γ = 2) − log(dice): the loss of GLoRIA's and MGCA's segmentation."""
    return 10 * focal_loss(logits, masks) - soft_dice(logits, masks).log()


def dice_bce_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """(1 − dice) + binary cross-entropy."""
    return 1 - soft_dice(logits, masks) + binary_cross_entropy_with_logits(logits, masks)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "focal-dice": focal_dice_loss,
    "dice-bce": dice_bce_loss,
}
"""Losses by the name that options give."""


def _check(logits: Tensor, masks: Tensor) -> None:
    if logits.shape != masks.shape:
        raise ValueError(f"logits {tuple(logits.shape)} and masks {tuple(masks.shape)} differ")
