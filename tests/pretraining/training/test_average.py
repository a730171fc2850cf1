"""The running mean of the weights, against its definition."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from syncxr.pretraining.checkpoint import describe
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.average import Average
from syncxr.pretraining.training.run import pretrain


def test_is_the_weighted_sum_of_what_the_weights_were() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).double()
    model[0].bias.requires_grad_(False)
    average = Average(model, decay=0.5)
    expected = model[0].weight.detach().clone()
    generator = torch.manual_seed(0)
    for step in range(20):
        with torch.no_grad():
            model[0].weight.copy_(torch.rand(3, 3, dtype=torch.double, generator=generator))
        model(torch.rand(4, 3, dtype=torch.double, generator=generator))
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model[0].weight.detach()
    assert torch.allclose(average.values["0.weight"], expected, atol=1e-14)
    assert "0.bias" not in average.values
    assert average.values["1.num_batches_tracked"] == 20
    assert not torch.equal(average.values["1.running_mean"], model[1].running_mean)


def test_takes_the_place_of_the_weights_and_gives_it_back() -> None:
    model = nn.Linear(2, 2)
    average = Average(model, 0.9)
    with torch.no_grad():
        model.weight.add_(1)
    own = model.weight.detach().clone()
    with average.in_place():
        assert torch.equal(model.weight, own - 1) or torch.allclose(model.weight, own - 1)
    assert torch.equal(model.weight, own)


def test_the_checkpoint_has_the_mean_and_training_is_not_changed_by_it(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    plain = pretrain(patches, tiny_options, tmp_path / "plain")
    options = tiny_options.model_copy(update={"ema": 0.9})
    averaged = pretrain(patches, options, tmp_path / "averaged")
    assert averaged.train_loss == plain.train_loss
    assert averaged.validation_loss != plain.validation_loss
    first, second = (
        load_file(folder / describe(folder).weights)
        for folder in (tmp_path / "plain", tmp_path / "averaged")
    )
    name = "method.image_projection.0.weight"
    assert not torch.equal(first[name], second[name])


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_decay_is_between(decay: float) -> None:
    with pytest.raises(ValueError, match="ema"):
        PretrainingOptions(ema=decay)
