"""What went wrong in public code, looked for in every method here."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from tiny_dual_encoder import tiny_dual_encoder

from syncxr.pretraining import METHODS
from syncxr.pretraining.checkpoint import load
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.encoders.features import Tokens
from syncxr.pretraining.methods import gloria
from syncxr.pretraining.model import DualEncoder, as_pixels
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.run import pretrain
from syncxr.pretraining.training.start import build_model
from syncxr.registry import BackendSpec

FINDINGS = ("nodule", "pneumonia", "effusion", "pneumothorax", "mild", "severe")
"""Words that stand for a bright square each, at a place of its own."""


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tokens_of(model: DualEncoder, texts: list[str]) -> Tokens:
    return model.text_encoder.tokens(texts, model.device)


def films_of(present: NDArray[np.bool_], seed: int) -> NDArray[np.uint8]:
    """Films (N, 32, 48) of noise with a square for each finding that is present (N, 6)."""
    films = np.random.default_rng(seed).normal(70, 10, (len(present), 32, 48))
    for finding in range(present.shape[1]):
        row, column = 16 * (finding // 3), 16 * (finding % 3)
        films[:, row + 4 : row + 12, column + 4 : column + 12] += (
            110 * present[:, finding, None, None]
        )
    return films.clip(0, 255).astype(np.uint8)


def test_every_trainable_parameter_moves_and_no_other(
    method: str, tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    # Decay would move what no gradient reaches.
    changes = {"method": BackendSpec(name=method), "epochs": 1, "weight_decay": 0.0}
    options = tiny_options.model_copy(update=changes)
    before = build_model(options)[0]
    pretrain(patches, options, tmp_path)
    after = dict(load(tmp_path).named_parameters())
    trained = {name for name, was in before.named_parameters() if was.requires_grad}
    moved = {n for n, was in before.named_parameters() if not torch.equal(was, after[n])}
    assert moved == trained
    for part in ("text_encoder.network", "image_encoder.backbone", "method"):
        assert any(name.startswith(part) for name in trained)
    assert len(trained) < len(after)  # some are frozen


def test_padding_never_changes_a_score(method: str) -> None:
    model = tiny_dual_encoder(method, last_layers=2)
    films = list(films_of(np.eye(6, dtype=bool)[:3], 0))
    short, long = "nodule", "small left lower pleural effusion in the right upper lung"
    alone = [model.zero_shot(films, [text]) for text in (short, long)]
    together = model.zero_shot(films, [long, short])
    np.testing.assert_allclose(together, np.hstack(alone[::-1]), atol=1e-6)
    np.testing.assert_allclose(
        model.encode_text([short, long])[0], model.encode_text([short])[0], atol=1e-6
    )


def test_padding_never_changes_the_loss(method: str) -> None:
    model = tiny_dual_encoder(method, last_layers=2).double()
    films = torch.rand(3, 1, 32, 32, dtype=torch.double, generator=torch.manual_seed(0))
    tokens = tokens_of(model, ["nodule", "no pleural effusion", "left upper pneumonia ."])
    fillers = (model.text_encoder.tokenizer.pad_token_id, 0, -1)
    wider = Tokens(
        *(torch.nn.functional.pad(t, (0, 7), value=f) for t, f in zip(tokens, fillers, strict=True))
    )
    losses = []
    for given in (tokens, wider):
        model.zero_grad()
        loss = model.loss(films, given)
        loss.backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        losses.append((loss.detach(), gradients))
    assert abs(losses[0][0] - losses[1][0]) <= 1e-12
    for tight, wide in zip(losses[0][1], losses[1][1], strict=True):
        torch.testing.assert_close(tight, wide, atol=1e-10, rtol=1e-8)


def test_half_precision_gives_nearly_the_same_loss(method: str) -> None:
    model = tiny_dual_encoder(method, last_layers=2)
    films = torch.rand(4, 1, 32, 32, generator=torch.manual_seed(0))
    tokens = tokens_of(model, ["nodule", "no pleural effusion", "left upper pneumonia", "mild"])
    exact = model.loss(films, tokens).item()
    with torch.autocast("cpu", torch.bfloat16):
        half = model.loss(films, tokens)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact, rel=0.02)
    half.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def advantage(method: str, shuffled: bool) -> float:
    """By what share a trained model's loss is lower on fresh true pairs than on mixed ones."""
    model = tiny_dual_encoder(method, size=32).train()
    generator = np.random.default_rng(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)

    def batch(number: int) -> tuple[torch.Tensor, list[str]]:
        present = generator.random((24, 6)) < 0.35
        stack = model.preprocessing.stack(films_of(present, number))
        return as_pixels(stack), [
            " ".join(np.array(FINDINGS)[row]) or "no findings" for row in present
        ]

    for step in range(50):
        films, texts = batch(step)
        if shuffled:
            texts = [texts[i] for i in generator.permutation(24)]
        optimiser.zero_grad()
        model.loss(films, tokens_of(model, texts)).backward()
        optimiser.step()
    model.eval()
    true = mixed = 0.0
    with torch.inference_mode():
        for number in range(8):
            films, texts = batch(10**6 + number)
            true += model.loss(films, tokens_of(model, texts)).item()
            mixed += model.loss(films, tokens_of(model, [*texts[1:], texts[0]])).item()
    return 1 - true / mixed


def test_learns_from_captions_and_nothing_from_shuffled_ones(method: str) -> None:
    assert advantage(method, shuffled=False) > 0.5
    assert abs(advantage(method, shuffled=True)) < 0.15


@pytest.mark.parametrize("same", ["texts", "films", "both"])
def test_a_batch_of_one_class_does_not_collapse(method: str, same: str) -> None:
    count = 4
    model = tiny_dual_encoder(method).train()
    films = torch.rand(count, 1, 32, 32, generator=torch.manual_seed(0))
    texts = ["nodule", "no effusion", "left pneumonia", "severe pneumothorax ."]
    if same != "films":
        texts = texts[:1] * count
    if same != "texts":
        films = films[:1].expand(count, -1, -1, -1)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(3):
        optimiser.zero_grad()
        loss = model.loss(films, tokens_of(model, texts))
        loss.backward()
        assert math.isfinite(loss.item())
        assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
        optimiser.step()
    assert all(p.isfinite().all() for p in model.parameters())
    if same == "both" and method != "siglip":
        # Nothing tells the pairs apart: every softmax is even.
        ways = {"convirt": 1, "gloria": 4}[method]
        model.eval()
        even = model.loss(films, tokens_of(model, texts)).item()
        assert even == pytest.approx(ways * math.log(count), abs=1e-3)


@pytest.mark.parametrize("method", ["convirt", "gloria", "siglip"])
def test_black_films_and_unknown_words_are_scored(method: str) -> None:
    model = tiny_dual_encoder(method)
    black = [np.zeros((32, 32), np.uint8)] * 2
    assert np.isfinite(model.zero_shot(black, ["qwertz", "nodule"])).all()
    loss = model.loss(torch.zeros(2, 1, 32, 32), tokens_of(model, ["qwertz", "qwertz"]))
    assert math.isfinite(loss.item())


def test_words_are_counted_not_characters_nor_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    real = gloria.compare_contexts

    def spy(places: torch.Tensor, words: torch.Tensor, lengths: list[int], sharpness: float):  # type: ignore[no-untyped-def]
        counted.extend(lengths)
        return real(places, words, lengths, sharpness)

    monkeypatch.setattr(gloria, "compare_contexts", spy)
    model = tiny_dual_encoder("gloria")
    numbers = {"pneumothorax": "pneumo", "chest": "##thorax"}
    vocabulary = model.text_encoder.tokenizer.get_vocab().items()
    model.text_encoder.tokenizer = transformers.BertTokenizerFast(
        vocab={numbers.get(word, word): number for word, number in vocabulary}
    )
    pieces = model.text_encoder.tokenise("no pneumothorax").ids
    assert len(pieces) == 5
    texts = ["no pneumothorax", "left", "small right pleural effusion"]
    model.loss(torch.rand(3, 1, 32, 32), tokens_of(model, texts))
    model.zero_shot([np.full((32, 32), 90, np.uint8)], ["left", "upper lung nodule"])
    # The first token counts as a word; the pair prompt adds "no".
    assert counted == [3, 2, 5, 2, 3, 4, 5]
