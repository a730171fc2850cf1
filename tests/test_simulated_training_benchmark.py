"""How the benchmarks that train on simulated films change what a network sees."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))
spec = importlib.util.spec_from_file_location(
    "simulated_training", BENCHMARKS / "simulated_training.py"
)
assert spec is not None and spec.loader is not None
training = importlib.util.module_from_spec(spec)
spec.loader.exec_module(training)

SIDE = 96


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_patches_hide_a_part_and_leave_the_rest() -> None:
    films = torch.full((64, 1, SIDE, SIDE), 0.5)
    seen = training.hidden(films, generator())
    assert (films == 0.5).all(), "the films given are not changed"
    assert seen.min() >= 0 and seen.max() <= 1
    # A patch is of one grey, so that its pixels equal their neighbours to the right exactly.
    flat = (seen[..., :-1] == seen[..., 1:]).flatten(1).float().mean(1)
    assert (flat < 0.005).any(), "some films keep all"
    assert (flat > 0.02).any(), "some films lose a patch"
    assert flat.max() < 0.6, "no film is lost"
    assert torch.equal(seen, training.hidden(films, generator()))


@pytest.mark.parametrize("spread", [training.LITTLE, training.MUCH])
def test_masks_move_with_their_films(spread: tuple[float, float, float, float]) -> None:
    masks = torch.zeros((32, SIDE, SIDE), dtype=torch.bool)
    masks[:, 30:60, 20:70] = True
    films, moved = training.moved(masks.unsqueeze(1).float(), generator(), spread, masks)
    assert moved is not None
    agree = ((films > 0.5) == (moved > 0.5)).float().mean()
    stay = ((moved[:, 0] > 0.5) == masks).float().mean()
    assert agree > 0.99 > stay


def test_nothing_moves_without_a_spread() -> None:
    films = torch.rand((4, 1, SIDE, SIDE), generator=generator())
    still, _ = training.moved(films, generator(), (0.0, 0.0, 0.0, 0.0))
    assert torch.allclose(still, films, atol=1e-4)
