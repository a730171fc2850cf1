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


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))


def project(layer: torch.nn.Linear, row: list[float]) -> list[float]:
    weights, shifts = layer.weight.tolist(), layer.bias.tolist()
    return [
        sum(w * x for w, x in zip(ws, row, strict=True)) + shift
        for ws, shift in zip(weights, shifts, strict=True)
    ]


@pytest.mark.parametrize(("count", "lengths"), [(1, [1]), (2, [4, 1]), (5, [3, 1, 6, 2, 2])])
@pytest.mark.parametrize(("pooled", "width", "dimension"), [(1, 2, 1), (5, 3, 8), (7, 16, 33)])
@pytest.mark.parametrize(("scale", "bias"), [(10.0, -10.0), (1.0, 0.0), (30.0, 2.5)])
def test_the_whole_loss_equals_the_slow_loop(
    count: int,
    lengths: list[int],
    pooled: int,
    width: int,
    dimension: int,
    scale: float,
    bias: float,
) -> None:
    torch.manual_seed(count * 100 + width)
    method = SigLIP(SigLIPOptions(dimension=dimension, scale=scale, bias=bias))
    method.connect(Channels(pooled, 4, width))
    method.double()
    images, words = torch.randn(count, pooled).double(), torch.randn(count, 6, width).double()
    mask = torch.arange(6)[None] < torch.tensor(lengths)[:, None]
    means = (words * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    found = method.loss(
        ImageFeatures(images, images[..., None, None], images[..., None, None]),
        TextFeatures(means, words, mask.long(), torch.where(mask, torch.arange(6), -1)),
    )
    seen = [project(method.image_projection, row) for row in images.tolist()]
    said = [
        project(
            method.text_projection,
            [sum(words[t, k, d].item() for k in range(n)) / n for d in range(width)],
        )
        for t, n in enumerate(lengths)
    ]
    expected = 0.0
    t = math.exp(method.log_scale.item())
    for i in range(count):
        for j in range(count):
            logit = t * cosine(seen[i], said[j]) + bias
            sign = 1 if i == j else -1
            expected += math.log(1 + math.exp(-sign * logit)) / count
    assert abs(found.item() - expected) <= 1e-10


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
