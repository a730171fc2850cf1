"""Segmentation: finds what it was shown, repeats itself, counts empty films as the field does."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from syncxr.errors import SyncxrError
from syncxr.evaluation.films.decoded import Masks
from syncxr.evaluation.finetuning.options import SegmentationOptions
from syncxr.evaluation.finetuning.segmentation import (
    Segmented,
    fit_segmentation,
    overlap,
)
from syncxr.pretraining.encoders.image import ImageEncoder

QUICK = SegmentationOptions(learning_rate=3e-3, batch_size=8, epochs=6)


def part(films: Callable, count: int, seed: int) -> Segmented:
    pixels, masks = films(count, seed)
    packed = np.packbits(masks, axis=2)
    return Segmented(pixels, Masks(packed, np.ones(count, bool), 64), np.arange(count))


@pytest.mark.parametrize("encoder", ["full", "frozen"])
@pytest.mark.parametrize("loss", ["focal-dice", "dice-bce"])
def test_finds_bright_squares(
    encoder: str, loss: str, tower: ImageEncoder, films: Callable
) -> None:
    options = SegmentationOptions(
        **QUICK.model_dump(exclude={"encoder", "loss"}), encoder=encoder, loss=loss
    )
    before = {key: value.clone() for key, value in tower.state_dict().items()}
    net = fit_segmentation(tower, part(films, 48, 0), part(films, 16, 1), options, seed=0)
    test = part(films, 20, 2)
    found = net.measure(test)
    assert found.dice[found.true > 0].mean() > 0.8
    called = net.predict(test.films)
    assert overlap(called, test.truth(np.arange(20))).both.tolist() == found.both.tolist()
    assert all(torch.equal(before[key], value) for key, value in tower.state_dict().items())
    assert net.epoch == 1 + int(np.argmax([row["validation_dice"] for row in net.history]))


def test_same_seed_same_masks(tower: ImageEncoder, films: Callable) -> None:
    torch.set_num_threads(1)
    options = QUICK.model_copy(update={"epochs": 1})
    given = part(films, 16, 0), part(films, 8, 1)
    first, again = (fit_segmentation(tower, *given, options, 0) for _ in range(2))
    for one, other in zip(
        first.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


def test_dice_and_iou_by_the_definition() -> None:
    generator = np.random.default_rng(0)
    true, called = (generator.random((6, 8, 8)) < 0.3 for _ in range(2))
    true[:2] = called[1:3] = False
    found = overlap(called, true)
    for index in range(6):
        a = {tuple(p) for p in np.argwhere(true[index])}
        b = {tuple(p) for p in np.argwhere(called[index])}
        dice = 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
        iou = len(a & b) / len(a | b) if a or b else 1.0
        assert found.dice[index] == pytest.approx(dice)
        assert found.iou[index] == pytest.approx(iou)
    assert found.dice[1] == 1.0  # empty on empty


def test_protocol_decay() -> None:
    assert SegmentationOptions(encoder="frozen").decay == 0.05
    assert SegmentationOptions(encoder="full").decay == 0.0
    assert SegmentationOptions(weight_decay=0.2).decay == 0.2


def test_parts_must_hold_films(tower: ImageEncoder, films: Callable) -> None:
    empty = Segmented(*(getattr(part(films, 4, 0), k) for k in ("films", "masks")), np.arange(0))
    with pytest.raises(SyncxrError, match="training and validation films"):
        fit_segmentation(tower, empty, part(films, 4, 0), QUICK, seed=0)
