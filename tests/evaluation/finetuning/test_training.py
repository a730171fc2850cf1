"""Order, loss over what is labelled, the best epoch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from syncxr.errors import SyncxrError
from syncxr.evaluation.finetuning.training import Best, batches, label_loss, without_positive


@given(count=st.integers(1, 500), size=st.integers(1, 64), epoch=st.integers(0, 5))
def test_every_row_once_in_even_batches(count: int, size: int, epoch: int) -> None:
    parts = batches(count, size, 0, epoch)
    assert sorted(np.concatenate(parts)) == list(range(count))
    lengths = [len(part) for part in parts]
    assert max(lengths) <= size and max(lengths) - min(lengths) <= 1


def test_order_follows_from_seed_and_epoch() -> None:
    orders = {tuple(np.concatenate(batches(50, 8, s, e))) for s in (0, 1) for e in (0, 1)}
    assert len(orders) == 4
    assert all(map(np.array_equal, batches(50, 8, 1, 1), batches(50, 8, 1, 1)))


def test_loss_is_the_mean_over_labelled_cells() -> None:
    logits = torch.tensor([[0.3, -1.0], [2.0, 0.5]], requires_grad=True)
    labels = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
    known = [(0.3, 1.0), (2.0, 0.0), (0.5, 1.0)]
    slow = np.mean([np.log1p(np.exp(-z if y else z)) for z, y in known])
    loss = label_loss(logits, labels)
    loss.backward()
    assert loss.item() == pytest.approx(slow, rel=1e-6)
    assert logits.grad[0, 1] == 0
    assert label_loss(logits, torch.full((2, 2), float("nan"))).item() == 0


def test_best_epoch_comes_back() -> None:
    layer, best = nn.Linear(1, 1), Best(patience=2)
    for value in (0.1, 0.5, 0.4, 0.5):
        nn.init.constant_(layer.weight, value)
        best.see(layer, value)
    assert best.epoch == 2 and best.exhausted
    best.restore(layer)
    assert layer.weight.item() == 0.5
    with pytest.raises(SyncxrError, match="diverged in epoch 5"):
        best.see(layer, float("nan"))


def test_findings_that_no_film_shows_are_named() -> None:
    labels = np.array([[1, 0, np.nan], [0, 0, 0]])
    assert without_positive(labels, ("a", "b", "c")) == ("b", "c")
