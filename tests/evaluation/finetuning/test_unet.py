"""The U-Net's encoder is the pre-trained tower, tensor by tensor."""

import copy

import pytest
import torch

from syncxr.errors import SyncxrError
from syncxr.evaluation.finetuning.unet import UNet, check_side
from syncxr.pretraining.encoders.image import ImageEncoder


@pytest.mark.parametrize("name", ["test_efficientnet", "test_resnet", "resnet18"])
def test_deepest_map_is_the_towers_own(name: str) -> None:
    tower = ImageEncoder(name).eval()
    net = UNet(copy.deepcopy(tower), frozen=True).eval()
    images = torch.rand(2, 1, 64, 64)
    pixels = (images.expand(-1, 3, -1, -1) - tower.mean) / tower.deviation
    with torch.inference_mode():
        own = tower.backbone.forward_intermediates(pixels, intermediates_only=True)[-1]
        assert torch.equal(net.network.encoder(pixels)[-1], own)
        assert net(images).shape == (2, 1, 64, 64)


def test_report_counts_and_names(tower: ImageEncoder) -> None:
    report = UNet(tower, frozen=True).report
    given = tower.backbone.state_dict()
    assert len(report.matched) + len(report.left_out) == len(given)
    assert all(name.split(".")[0] in ("conv_head", "bn2") for name in report.left_out)
    whole = UNet(ImageEncoder("test_resnet"), frozen=True).report
    assert whole.left_out == ()


def test_frozen_stays_even_in_training(tower: ImageEncoder) -> None:
    net = UNet(tower, frozen=True).train()
    before = {key: value.clone() for key, value in net.network.encoder.state_dict().items()}
    net(torch.rand(4, 1, 64, 64)).mean().backward()
    assert all(p.grad is None for p in net.network.encoder.parameters())
    after = net.network.encoder.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert any(p.grad is not None for p in net.network.decoder.parameters())


def test_full_trains_every_encoder_tensor(tower: ImageEncoder) -> None:
    net = UNet(tower, frozen=False).train()
    net(torch.rand(4, 1, 64, 64)).square().mean().backward()
    assert all(p.grad is not None for p in net.network.encoder.parameters())


def test_a_tower_without_scales_is_refused() -> None:
    with pytest.raises(SyncxrError, match="convolutional"):
        UNet(ImageEncoder("test_vit"), frozen=True)


def test_a_side_that_cannot_be_halved(tower: ImageEncoder) -> None:
    check_side(tower, 96)
    with pytest.raises(SyncxrError, match="multiple of 32, the checkpoint's is 100"):
        check_side(tower, 100)


def test_a_tensor_of_another_shape_is_told(tower: ImageEncoder) -> None:
    tower.backbone.conv_stem.weight = torch.nn.Parameter(torch.zeros(1, 3, 3, 3))
    with pytest.raises(SyncxrError, match=r"the first conv_stem\.weight"):
        UNet(tower, frozen=True)
