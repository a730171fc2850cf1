"""Full fine-tuning: the tower trains, the given one stays, the best epoch is kept."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from syncxr.errors import SyncxrError
from syncxr.evaluation.finetuning.full import fit_full, mean_auroc
from syncxr.evaluation.finetuning.options import FullOptions
from syncxr.evaluation.metrics.binary import auroc
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.options import Augmentation

# A net without pre-training needs a larger rate than the protocol's to learn in a few steps.
QUICK = FullOptions(
    learning_rate=3e-3, batch_size=16, epochs=6, augmentation=Augmentation(crop=1, blur=0)
)


def labelled(films: Callable, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    pixels, masks = films(count, seed)
    return pixels, masks.any((1, 2)).astype(float)[:, None]


def test_learns_what_films_show_and_leaves_the_tower_alone(
    tower: ImageEncoder, films: Callable
) -> None:
    before = {key: value.clone() for key, value in tower.state_dict().items()}
    tuned = fit_full(tower, labelled(films, 64, 0), labelled(films, 24, 1), QUICK, seed=0)
    pixels, labels = labelled(films, 60, 2)
    assert auroc(labels[:, 0], tuned.predict(pixels)[:, 0]) >= 0.99
    assert all(torch.equal(before[key], value) for key, value in tower.state_dict().items())
    first = next(iter(tuned.network.encoder.backbone.parameters()))
    assert not torch.equal(first, next(iter(tower.backbone.parameters())))
    areas = [row["validation_auroc"] for row in tuned.history]
    assert len(areas) == QUICK.epochs and tuned.epoch == 1 + int(np.argmax(areas))


def test_same_seed_same_predictions(tower: ImageEncoder, films: Callable) -> None:
    torch.set_num_threads(1)
    options = QUICK.model_copy(update={"epochs": 1})
    given = labelled(films, 20, 0), labelled(films, 8, 1)
    first, again, other = (fit_full(tower, *given, options, seed) for seed in (0, 0, 1))
    pixels, _ = films(6, 2)
    assert first.predict(pixels).tobytes() == again.predict(pixels).tobytes()
    assert first.predict(pixels).tobytes() != other.predict(pixels).tobytes()


def test_validation_must_be_able_to_choose(tower: ImageEncoder, films: Callable) -> None:
    pixels, _ = films(8, 1)
    with pytest.raises(SyncxrError, match="no epoch can be chosen"):
        fit_full(tower, labelled(films, 16, 0), (pixels, np.zeros((8, 1))), QUICK, seed=0)


def test_mean_passes_over_what_has_one_class() -> None:
    labels = np.array([[1, 0, 1], [0, 0, np.nan], [0, 0, 0.0]])
    scores = np.array([[0.9, 0.1, 0.2], [0.1, 0.2, 0.9], [0.3, 0.1, 0.8]])
    assert mean_auroc(labels, scores) == pytest.approx((1 + 0) / 2)
