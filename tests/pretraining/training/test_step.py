"""Accumulation, precision and clipping do what their names say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import load
from syncxr.pretraining.data.loader import Batch
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import Augmentation, PretrainingOptions
from syncxr.pretraining.training.engine import start_engine
from syncxr.pretraining.training.run import pretrain
from syncxr.pretraining.training.start import build_model
from syncxr.pretraining.training.step import Stepper

STILL = Augmentation(crop=1, rotation=0, shift=0, scale=0, contrast=0, blur=0)


def batch(number: int) -> Batch:
    films = np.random.default_rng(number).integers(0, 256, (4, 32, 32), np.uint8)
    texts = ["no nodule", "a bright patch", "clear film", "left patch ."]
    return Batch(list("abcd"), films, texts, 0, number)


def stepper(engine: object, options: PretrainingOptions) -> Stepper:
    model, _ = build_model(options)
    for module in model.modules():  # so that a batch leaves no trace but its gradient
        if isinstance(module, torch.nn.Dropout | torch.nn.BatchNorm2d):
            module.train = lambda mode=True, own=module: own  # type: ignore[method-assign]
            module.training = False
    return Stepper(engine, model, options, 10)


def test_accumulated_batches_take_the_step_of_their_mean_gradient(
    tiny_options: PretrainingOptions,
) -> None:
    options = tiny_options.model_copy(update={"augmentation": STILL, "weight_decay": 0.0})
    batches = [batch(0), batch(1), batch(2)]
    with start_engine("no", 3) as engine:
        taken = stepper(engine, options)
        loss = taken.step(0, batches, []).loss
        found = dict(taken.model.named_parameters())
    with start_engine("no", 1) as engine:
        by_hand = stepper(engine, options)
        by_hand._wrapped.train()
        losses = [by_hand._wrapped(*by_hand._prepare(batch, i)) for i, batch in enumerate(batches)]
        by_hand._set_rate(0, [])
        (sum(losses) / 3).backward()
        by_hand.optimiser.step()
        expected = dict(by_hand.model.named_parameters())
    assert loss == pytest.approx(float(sum(losses).detach()) / 3, rel=1e-6)
    for name, value in expected.items():
        assert torch.allclose(found[name], value, atol=2e-4), name


def test_half_precision_trains_and_leaves_whole_weights(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    whole = pretrain(patches, tiny_options, tmp_path / "whole")
    options = tiny_options.model_copy(update={"precision": "bf16"})
    half = pretrain(patches, options, tmp_path / "half")
    assert half.train_loss != whole.train_loss
    assert half.train_loss == pytest.approx(whole.train_loss, rel=0.1)
    model = load(tmp_path / "half")
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    # And a run after it in the same process is not touched.
    assert pretrain(patches, tiny_options, tmp_path / "again").train_loss == whole.train_loss


@pytest.mark.skipif(torch.accelerator.is_available(), reason="what a GPU can do is no fault")
def test_fp16_needs_a_gpu_and_says_so(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    options = tiny_options.model_copy(update={"precision": "fp16"})
    with pytest.raises(SyncxrError, match="precision 'fp16' needs a GPU"):
        pretrain(patches, options, tmp_path)
    pretrain(patches, tiny_options, tmp_path)


def test_clipping_bounds_the_gradient(tiny_options: PretrainingOptions) -> None:
    options = tiny_options.model_copy(update={"clip": 1e-3})
    norms = []
    with start_engine("no", 1) as engine:
        taken = stepper(engine, options)
        step = taken.optimiser.step

        def spy() -> None:
            gradients = [p.grad.flatten() for p in taken.model.parameters() if p.grad is not None]
            norms.append(float(torch.cat(gradients).norm()))
            step()

        taken.optimiser.step = spy
        taken.step(0, [batch(0)], [])
    assert norms == [pytest.approx(1e-3, rel=1e-3)]
