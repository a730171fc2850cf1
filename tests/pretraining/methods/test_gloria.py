"""The local similarity against a loop that follows the paper's equations word by word."""

import math

import pytest
import torch

from syncxr.pretraining.encoders.features import Channels, ImageFeatures, TextFeatures
from syncxr.pretraining.methods.gloria import GLoRIA, GLoRIAOptions, both_ways, local_similarities


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def softmax(values: list[float]) -> list[float]:
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    return [power / sum(powers) for power in powers]


def slow_similarity(places: list, words: list, t1: float, t2: float) -> float:
    """Z of one film and one text; ``words`` holds real words only."""
    scores = [[dot(word, place) for place in places] for word in words]
    over_words = [softmax([row[p] for row in scores]) for p in range(len(places))]
    total = 0.0
    for w, word in enumerate(words):
        attention = softmax([t1 * over_words[p][w] for p in range(len(places))])
        context = [
            sum(a * place[d] for a, place in zip(attention, places, strict=True))
            for d in range(len(word))
        ]
        cosine = dot(context, word) / math.sqrt(dot(context, context) * dot(word, word))
        total += math.exp(t2 * cosine)
    return math.log(total)


def slow_contrast(logits: list[list[float]]) -> float:
    count = len(logits)
    loss = 0.0
    for i in range(count):
        loss -= math.log(softmax(logits[i])[i]) / count
        loss -= math.log(softmax([logits[j][i] for j in range(count)])[i]) / count
    return loss


def made_up(
    films: int, lengths: list[int], places: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(films * 100 + places)
    regions = torch.randn(films, places, width, generator=generator, dtype=torch.float64)
    words = torch.randn(
        len(lengths), max(lengths) + 2, width, generator=generator, dtype=torch.float64
    )
    exists = torch.arange(words.shape[1])[None] < torch.tensor(lengths)[:, None]
    return regions, words, exists


SHAPES = [
    (1, [1], 1, 1),
    (2, [3, 1], 4, 2),
    (3, [5, 2, 7], 6, 5),
    (5, [4, 9, 1, 2, 6], 9, 8),
    (2, [2, 3, 4, 5, 6, 7, 8, 9, 10], 25, 16),
]


@pytest.mark.parametrize(("films", "lengths", "places", "width"), SHAPES)
@pytest.mark.parametrize(("t1", "t2"), [(4.0, 5.0), (1.0, 1.0), (9.0, 0.5)])
def test_equals_the_slow_loop(
    films: int, lengths: list[int], places: int, width: int, t1: float, t2: float
) -> None:
    regions, words, exists = made_up(films, lengths, places, width)
    options = GLoRIAOptions(attention_sharpness=t1, word_sharpness=t2)
    found = local_similarities(regions, words, exists, options)
    for i in range(films):
        for j, length in enumerate(lengths):
            expected = slow_similarity(
                regions[i].tolist(), words[j, :length].tolist(), options.attention_sharpness, t2
            )
            assert abs(float(found[i, j]) - expected) <= 1e-10


def test_gradients() -> None:
    regions, words, exists = made_up(2, [2, 3, 1, 2, 2], 4, 3)
    regions.requires_grad_()
    words.requires_grad_()
    assert torch.autograd.gradcheck(lambda v, e: local_similarities(v, e, exists), (regions, words))


def test_words_that_do_not_exist_count_for_nothing() -> None:
    regions, words, exists = made_up(3, [4, 2], 5, 6)
    words.requires_grad_()
    found = local_similarities(regions, words, exists)
    louder = torch.where(exists[..., None], words, 1e3)
    assert torch.equal(found, local_similarities(regions, louder, exists))
    found.sum().backward()
    assert words.grad is not None and not words.grad[~exists].any()
    alone = local_similarities(regions, words[1:, :2], exists[1:, :2])
    assert torch.allclose(found[:, 1:], alone, atol=1e-13, rtol=0)


def test_half_precision_is_summed_in_single() -> None:
    regions, words, exists = made_up(3, [4, 2, 3], 5, 6)
    with torch.autocast("cpu", torch.bfloat16):
        found = local_similarities(regions.bfloat16(), words.bfloat16(), exists)
    exact = local_similarities(regions.bfloat16().double(), words.bfloat16().double(), exists)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), exact, atol=1e-4)


def connected() -> tuple[GLoRIA, ImageFeatures, TextFeatures]:
    torch.manual_seed(0)
    method = GLoRIA(GLoRIAOptions())
    method.connect(Channels(pooled=5, local=4, text=7))
    method.double()
    spatial = torch.randn(3, 5, 2, 2, dtype=torch.float64)
    local = torch.randn(3, 4, 4, 3, dtype=torch.float64)
    tokens = torch.randn(3, 6, 7, dtype=torch.float64)
    words = torch.tensor([[0, 1, 2, 3, 4, -1], [0, 1, 1, 2, -1, -1], [0, 1, -1, -1, -1, -1]])
    texts = TextFeatures(tokens.mean(1), tokens, (words >= 0).long(), words)
    return method, ImageFeatures(spatial.mean((2, 3)), spatial, local), texts


def test_the_whole_loss_equals_the_slow_loop() -> None:
    method, images, texts = connected()
    pieces = [
        [
            [
                sum(texts.tokens[t, k, d].item() for k in range(6) if texts.words[t, k] == w)
                for d in range(7)
            ]
            for w in range(int(texts.words[t].max()) + 1)
        ]
        for t in range(3)
    ]
    places = [
        [
            (
                method.local_projection.weight @ images.local[i, :, y, x]
                + method.local_projection.bias
            ).tolist()
            for y in range(4)
            for x in range(3)
        ]
        for i in range(3)
    ]
    local = [[10 * slow_similarity(v, e, 4.0, 5.0) for e in pieces] for v in places]
    sentences = [[sum(w[d] for w in text) / len(text) for d in range(7)] for text in pieces]
    films = method.global_projection(images.pooled).tolist()
    whole = [[10 * dot(u, v) / math.sqrt(dot(u, u) * dot(v, v)) for v in sentences] for u in films]
    expected = slow_contrast(local) + slow_contrast(whole)
    assert abs(float(method.loss(images, texts).detach()) - expected) <= 1e-10


def test_contrast_equals_the_slow_loop() -> None:
    logits = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert abs(float(both_ways(logits)) - slow_contrast(logits.tolist())) <= 1e-12


def test_a_longer_text_is_not_likelier_for_its_length() -> None:
    method, images, texts = connected()
    # The same word twice says no more than once.
    tokens = texts.tokens[:, :1].expand(-1, 4, -1)
    once, twice = torch.tensor([[0, -1, -1, -1]] * 3), torch.tensor([[0, 1, 2, 3]] * 3)
    short = method.logits(images, TextFeatures(tokens[:, 0], tokens, (once >= 0).long(), once))
    long = method.logits(images, TextFeatures(tokens[:, 0], tokens, (twice >= 0).long(), twice))
    assert (long - short).abs().max() < 3.0 < 10 * math.log(4)


def test_location_has_the_local_maps_resolution() -> None:
    method, images, texts = connected()
    found = method.locate(images, texts)
    assert found.shape == (3, 3, 4, 3)
    place = method.local_projection(images.local[1, :, 2, 1])
    word = method.embed_texts(texts)[2]
    expected = torch.nn.functional.cosine_similarity(place, word, dim=0)
    assert torch.allclose(found[1, 2, 2, 1], expected)
