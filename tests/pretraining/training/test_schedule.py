"""Rates against torch's own schedulers, and the rule of early stopping."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from syncxr.pretraining.training.schedule import exhausted, rate

losses = st.lists(st.sampled_from([1.0, 0.99995, 0.9, 0.5, 2.0]), max_size=60)


@given(losses)
def test_plateau_is_torchs(history: list[float]) -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=5)
    for loss in history:
        scheduler.step(loss)
    found = rate("plateau", 100, 1000, 0.05, history)
    # torch stops where a halving would change the rate by less than 1e-8; so few epochs never do.
    assert found == optimiser.param_groups[0]["lr"]


def test_cosine_falls_from_the_peak_to_zero() -> None:
    steps = [rate("cosine", step, 100, 0.1) for step in range(100)]
    assert steps[:10] == sorted(steps[:10]) and steps[10] == 1.0
    expected = [0.5 * (1 + math.cos(math.pi * step / 90)) for step in range(90)]
    assert steps[10:] == pytest.approx(expected)


def test_constant_stays_after_the_warm_up() -> None:
    assert [rate("constant", step, 100, 0.02) for step in range(4)] == [1 / 3, 2 / 3, 1.0, 1.0]


@pytest.mark.parametrize(
    ("history", "patience", "expected"),
    [
        ([3, 2, 1], 2, False),
        ([1, 2, 2], 2, True),
        ([1, 2, 0.5], 2, False),
        ([1, 2], 2, False),
        ([1, 1, 1], 2, True),
        ([1, 2, 3, 4], None, False),
    ],
)
def test_stops_when_nothing_was_gained_for_long_enough(
    history: list[float], patience: int | None, expected: bool
) -> None:
    assert exhausted(history, patience) is expected
