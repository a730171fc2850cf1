"""The loss against a loop that follows the paper's equations word by word."""

import math

import pytest
import torch

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures
from syncxr.pretraining.methods.convirt import ConVIRT, ConVIRTOptions, convirt_loss


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a)) / math.sqrt(sum(y * y for y in b))


def slow_loss(images: list, texts: list, temperature: float, weight: float) -> float:
    total = 0.0
    for i in range(len(images)):
        own = math.exp(cosine(images[i], texts[i]) / temperature)
        over_texts = sum(math.exp(cosine(images[i], v) / temperature) for v in texts)
        over_images = sum(math.exp(cosine(u, texts[i]) / temperature) for u in images)
        total -= weight * math.log(own / over_texts)
        total -= (1 - weight) * math.log(own / over_images)
    return total / len(images)


@pytest.mark.parametrize("count", [1, 2, 7, 32])
@pytest.mark.parametrize("width", [1, 3, 64])
@pytest.mark.parametrize(("temperature", "weight"), [(0.1, 0.75), (0.07, 0.5), (1.0, 0.0), (2, 1)])
def test_equals_the_slow_loop(count: int, width: int, temperature: float, weight: float) -> None:
    generator = torch.Generator().manual_seed(count * 100 + width)
    images = torch.randn(count, width, generator=generator, dtype=torch.float64) * 5
    texts = torch.randn(count, width, generator=generator, dtype=torch.float64) * 0.2
    expected = slow_loss(images.tolist(), texts.tolist(), temperature, weight)
    assert abs(float(convirt_loss(images, texts, temperature, weight)) - expected) <= 1e-10


def test_the_defaults_are_the_papers() -> None:
    images, texts = torch.randn(2, 5, 8, dtype=torch.float64)
    expected = slow_loss(images.tolist(), texts.tolist(), 0.1, 0.75)
    assert abs(float(convirt_loss(images, texts)) - expected) <= 1e-10


def test_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    images, texts = (
        torch.randn(4, 6, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(2)
    )
    assert torch.autograd.gradcheck(convirt_loss, (images, texts))


def test_matching_pairs_cost_less_than_shuffled_ones() -> None:
    images = torch.eye(6)
    assert convirt_loss(images, images) < 0.01
    assert convirt_loss(images, images.roll(1, 0)) > 5


@pytest.mark.parametrize("shapes", [((3, 4), (2, 4)), ((3, 4), (3, 5)), ((3,), (3,))])
def test_refuses_other_shapes(shapes: tuple) -> None:
    with pytest.raises(ValueError, match="must both be"):
        convirt_loss(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def test_location_averages_to_the_pooled_similarity_of_a_linear_projection() -> None:
    method = ConVIRT(ConVIRTOptions(dimension=16))
    method.connect(Channels(5, 4, 7))
    spatial = torch.randn(2, 5, 3, 4)
    words = torch.randn(3, 7)
    texts = TextFeatures(words, words[:, None], torch.ones(3, 1), torch.zeros(3, 1))
    found = method.locate(ImageFeatures(spatial.mean((2, 3)), spatial, spatial), texts)
    assert found.shape == (2, 3, 3, 4)
    one = spatial[1, :, 2, 3][None]
    expected = method.embed_images(ImageFeatures(one, one[..., None, None], one[..., None, None]))
    assert torch.allclose(found[1, :, 2, 3], (expected @ method.embed_texts(texts).T)[0], atol=1e-5)


def test_logits_are_cosines_over_the_temperature() -> None:
    method = ConVIRT(ConVIRTOptions(dimension=16, temperature=0.2))
    method.connect(Channels(5, 4, 7))
    spatial, words = torch.randn(2, 5, 1, 1), torch.randn(3, 7)
    images = ImageFeatures(spatial[..., 0, 0], spatial, spatial)
    texts = TextFeatures(words, words[:, None], torch.ones(3, 1), torch.zeros(3, 1))
    expected = method.embed_images(images) @ method.embed_texts(texts).T / 0.2
    assert torch.allclose(method.logits(images, texts), expected)
