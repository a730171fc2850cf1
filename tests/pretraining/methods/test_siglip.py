"""The loss against a loop that follows the paper's equation."""

import math

import pytest
import torch

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures
from syncxr.pretraining.methods.siglip import SigLIP, SigLIPOptions, siglip_loss


@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_equals_the_slow_loop(count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    logits = torch.randn(count, count, dtype=torch.float64, generator=generator) * 4
    expected = 0.0
    for i in range(count):
        for j in range(count):
            sign = 1 if i == j else -1
            expected += math.log(1 + math.exp(-sign * float(logits[i, j]))) / count
    assert abs(float(siglip_loss(logits)) - expected) <= 1e-10


def test_gradients() -> None:
    logits = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(siglip_loss, (logits,))


def test_refuses_what_is_not_square() -> None:
    with pytest.raises(ValueError, match=r"must be \(N, N\)"):
        siglip_loss(torch.zeros(2, 3))


def test_scale_and_bias_start_as_the_paper_has_them_and_learn() -> None:
    method = SigLIP(SigLIPOptions(dimension=8))
    method.connect(Channels(5, 4, 7))
    images = ImageFeatures(torch.randn(3, 5), torch.randn(3, 5, 2, 2), torch.randn(3, 4, 2, 2))
    texts = TextFeatures(torch.randn(3, 7), torch.randn(3, 2, 7), torch.ones(3, 2), torch.zeros(3))
    cosines = method.embed_images(images) @ method.embed_texts(texts).T
    assert torch.allclose(method.logits(images, texts), 10 * cosines - 10, atol=1e-5)
    method.loss(images, texts).backward()
    assert all(parameter.grad is not None for parameter in method.parameters())
