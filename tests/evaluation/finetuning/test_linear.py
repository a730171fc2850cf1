"""The linear probe: learns what is there, learns nothing from shuffled labels, repeats itself."""

import numpy as np
import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.finetuning.linear import fit_linear
from syncxr.evaluation.finetuning.options import LinearOptions
from syncxr.evaluation.metrics.binary import auroc

OPTIONS = LinearOptions()


def telling(count: int, seed: int, channels: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Features two of which bear the two labels; the rest is noise."""
    generator = np.random.default_rng(seed)
    labels = (generator.random((count, 2)) < 0.4).astype(float)
    features = generator.normal(size=(count, channels)).astype(np.float32)
    features[:, :2] = (4 * labels - 2 + 0.3 * features[:, :2]).astype(np.float32)
    return features, labels


def test_label_bearing_features() -> None:
    probe = fit_linear(telling(3000, 0), telling(100, 1), OPTIONS, seed=0)
    features, labels = telling(300, 2)
    chances = probe.predict(features)
    assert all(auroc(labels[:, k], chances[:, k]) >= 0.99 for k in range(2))


def test_shuffled_labels_are_chance() -> None:
    generator = np.random.default_rng(5)
    (seen, labels), (unseen, truth) = telling(400, 0), telling(100, 1)
    shuffled = (seen, generator.permutation(labels)), (unseen, generator.permutation(truth))
    probe = fit_linear(*shuffled, OPTIONS, seed=0)
    features, labels = telling(2000, 2)
    chances = probe.predict(features)
    mean = np.mean([auroc(labels[:, k], chances[:, k]) for k in range(2)])
    # One shuffle may lean either way on a feature: what counts is that nothing near .99 comes out.
    assert 0.3 < mean < 0.7


def test_same_seed_same_bytes_other_seed_other() -> None:
    first, again, other = (
        fit_linear(telling(60, 0), telling(30, 1), OPTIONS, seed) for seed in (3, 3, 4)
    )
    assert first.weight.tobytes() == again.weight.tobytes()
    assert first.weight.tobytes() != other.weight.tobytes()


def test_keeps_the_epoch_of_the_lowest_validation_loss_and_stops() -> None:
    (seen, labels), (unseen, truth) = telling(200, 0), telling(50, 1)
    # What helps on the training part hurts here: the first epochs are the best.
    probe = fit_linear((seen, labels), (unseen, 1 - truth), OPTIONS, seed=0)
    losses = [row["validation_loss"] for row in probe.history]
    assert probe.epoch == 1 + int(np.argmin(losses))
    assert len(probe.history) == probe.epoch + OPTIONS.patience < OPTIONS.epochs


def test_unlabelled_films_count_for_nothing() -> None:
    features, labels = telling(3000, 0)
    hidden = labels.copy()
    hidden[::2, 0] = np.nan
    probe = fit_linear((features, hidden), telling(100, 1), OPTIONS, seed=0)
    unseen, truth = telling(300, 2)
    assert auroc(truth[:, 0], probe.predict(unseen)[:, 0]) >= 0.99


@pytest.mark.parametrize("bad", [np.full((4, 2), 0.5), np.zeros((0, 2)), np.zeros((4, 3))])
def test_bad_labels(bad: np.ndarray) -> None:
    features = np.zeros((len(bad), 8), np.float32)
    with pytest.raises(SyncxrError, match="validation part"):
        fit_linear(telling(20, 0, 8), (features, bad), OPTIONS, seed=0)
