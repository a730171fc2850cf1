"""A whole training step of GLoRIA against the public implementation's way: time.

    python benchmarks/train_step.py [--batch N] [--size PX] [--rounds R] [--compile] [--json FILE]

Three ways to do one step (forward, backward, clipping, Adam) with the same two towers from the same
weights on the same films and texts, by turns in one process:

- ``public``: as marshuang80/gloria does it. Films channels first, texts padded to the token limit,
  word pieces summed by a loop over texts and tokens that asks for each token's number
  (``text_model.py``), the local loss by a loop over texts (see ``gloria_loss.py`` beside this).
- ``loss``: the same with pooling of words and loss as here.
- ``all``: as a run here does it: channels-last, texts cut to the longest, read in groups of like
  length; with ``--compile`` the image tower through torch.compile.

The towers are EfficientNet-Lite0 and MiniLM, the laptop preset's. The same layers are frozen in all
three ways; autograd goes back through none of them in any. Before anything is timed the three
losses are compared. On a machine that has other work wall time says little: the ratio of processor
time is printed beside it.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, cross_entropy

from gloria_loss import reference
from syncxr.pretraining.encoders.features import Tokens
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.options import PretrainingOptions, TextEncoderOptions
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.pretraining.training.start import build_model
from syncxr.registry import BackendSpec
from syncxr.views.console import write_json

BARS = {"all": 1.5}
SENTENCES = (
    "The heart is normal in size.",
    "There is a small left pleural effusion.",
    "No pneumothorax is seen.",
    "Patchy opacity in the right lower lobe may be atelectasis or pneumonia.",
    "The cardiomediastinal silhouette is unremarkable.",
    "Mild interstitial edema.",
    "Degenerative changes of the thoracic spine.",
)


def made_up(batch: int, size: int) -> tuple[Tensor, list[str]]:
    """Films of noise, and reports of one to ten sentences."""
    generator = torch.Generator().manual_seed(0)
    films = torch.rand(batch, 1, size, size, generator=generator)
    counts = torch.randint(1, 11, (batch,), generator=generator).tolist()
    picks = torch.randint(len(SENTENCES), (batch, 10), generator=generator).tolist()
    return films, [
        " ".join(SENTENCES[pick] for pick in row[:count])
        for row, count in zip(picks, counts, strict=True)
    ]


def padded(model: DualEncoder, texts: Sequence[str]) -> Tokens:
    """Texts padded to the token limit, as the public data loader gives them."""
    encoder = model.text_encoder
    tokens = encoder.tokens(texts, model.device)
    extra = (0, encoder.max_tokens - tokens.ids.shape[1])
    fillers = (encoder.tokenizer.pad_token_id, 0, -1)
    pairs = zip(tokens, fillers, strict=True)
    return Tokens(*(torch.nn.functional.pad(part, extra, value=f) for part, f in pairs))


def public_words(
    model: DualEncoder, tokens: Tokens, pieces: dict[int, str]
) -> tuple[Tensor, list[int]]:
    """Words (N, T, D) and their numbers, by the public loop over texts and tokens.

    ``pieces`` is the vocabulary turned round, which the public code does once, as here.
    """
    encoder = model.text_encoder
    states = encoder.network(
        input_ids=tokens.ids, attention_mask=tokens.mask, output_hidden_states=True
    ).hidden_states
    # (N, T, L, D): the layers stay apart until words are made, as there.
    layers = torch.stack(states[-encoder.last_layers :]).permute(1, 2, 0, 3)
    texts, counts = [], []
    for features, numbers in zip(layers, tokens.ids, strict=True):
        words: list[Tensor] = []
        bank: list[Tensor] = []
        for feature, number in zip(features, numbers, strict=True):
            piece = pieces[number.item()]  # the device is asked once a token
            if bank and not piece.startswith("##"):
                words.append(torch.stack(bank).sum(0))
                bank = []
            if piece == encoder.tokenizer.sep_token:
                break
            bank.append(feature)
        counts.append(len(words))
        missing = torch.zeros(len(features) - len(words), *features.shape[1:])
        texts.append(torch.cat([torch.stack(words), missing]))
    return torch.stack(texts).sum(2), counts


def public_loss(
    model: DualEncoder, films: Tensor, tokens: Tokens, pieces: dict[int, str]
) -> Tensor:
    """Local and global loss as the public code arranges them."""
    method: Any = model.method
    seen = model.image_encoder(films)
    local = method.local_projection
    maps = conv2d(seen.local.contiguous(), local.weight[:, :, None, None], local.bias)
    words, counts = public_words(model, tokens, pieces)
    whole, sentences = method.global_projection(seen.pooled), words.mean(1)
    norms = whole.norm(dim=1)[:, None] * sentences.norm(dim=1)
    logits = whole @ sentences.T / norms.clamp(min=1e-8) * method.options.global_scale
    own = torch.arange(len(films))
    return (
        reference(maps, words, counts) + cross_entropy(logits, own) + cross_entropy(logits.T, own)
    )


class Way:
    """A model of its own with its optimiser, and how it computes its loss."""

    def __init__(self, model: DualEncoder, loss: Callable[[DualEncoder], Tensor]) -> None:
        self.model, self._loss = model, loss
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimiser = torch.optim.Adam(self._parameters, lr=5e-5, betas=(0.5, 0.999))

    def value(self) -> float:
        """Loss without dropout."""
        self.model.eval()
        with torch.no_grad():
            value = float(self._loss(self.model))
        self.model.train()
        return value

    def step(self) -> tuple[float, float]:
        """One step: seconds of wall and of processor time."""
        start, cpu = time.perf_counter(), time.process_time()
        self._optimiser.zero_grad(set_to_none=True)
        self._loss(self.model).backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 0.25)
        self._optimiser.step()
        return time.perf_counter() - start, time.process_time() - cpu


def ways(batch: int, size: int, compiled: bool) -> dict[str, Way]:
    """The three ways, from the same weights."""
    films, texts = made_up(batch, size)
    options = PretrainingOptions(
        method=BackendSpec(name="gloria"),
        text_encoder=TextEncoderOptions(last_layers=4),
        preprocessing=Preprocessing(size=size),
    )
    ours = build_model(options)[0]
    public, loss = copy.deepcopy(ours), copy.deepcopy(ours)
    for model in (public, loss):
        model.image_encoder.to(memory_format=torch.contiguous_format)
        # One group: all texts at once, as there.
        model.text_encoder._states = (  # type: ignore[method-assign]
            lambda tokens, encoder=model.text_encoder: encoder._run(tokens.ids, tokens.mask)
        )
    if compiled:
        backbone = ours.image_encoder.backbone
        backbone.forward_intermediates = torch.compile(backbone.forward_intermediates)
    wide = padded(ours, texts)
    encoder = ours.text_encoder
    tight = encoder.tokens(texts, ours.device)
    last = films.contiguous(memory_format=torch.channels_last)
    pieces = {number: piece for piece, number in encoder.tokenizer.get_vocab().items()}
    return {
        "public": Way(public, lambda model: public_loss(model, films, wide, pieces)),
        "loss": Way(loss, lambda model: model.loss(films, wide)),
        "all": Way(ours, lambda model: model.loss(last, tight)),
    }


def measure(batch: int, size: int, rounds: int, compiled: bool) -> dict[str, Any]:
    """Medians and ratios."""
    found = ways(batch, size, compiled)
    losses = {name: way.value() for name, way in found.items()}
    spread = max(losses.values()) - min(losses.values())
    if spread > 1e-3:
        raise SystemExit(f"the ways do not compute the same: {losses}")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    for number in range(rounds + 1):
        for name, way in found.items():
            taken = way.step()
            if number:  # the first warms up
                times[name].append(taken)
    wall = {name: statistics.median(t for t, _ in rows) for name, rows in times.items()}
    cpu = {name: statistics.median(t for _, t in rows) for name, rows in times.items()}
    tokenise = found["all"].model.text_encoder.tokenise
    return {
        "batch": batch,
        "size": size,
        "tokens": [len(tokenise(text).ids) for text in made_up(batch, size)[1]],
        "rounds": rounds,
        "compiled": compiled,
        "threads": torch.get_num_threads(),
        "losses": losses,
        "seconds": wall,
        "cpu_seconds": cpu,
        "times_as_fast": {name: wall["public"] / wall[name] for name in ("loss", "all")},
        "times_as_fast_cpu": {name: cpu["public"] / cpu[name] for name in ("loss", "all")},
        "bars": BARS,
    }


def main() -> int:
    """Run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3, help="steps of each way that count")
    parser.add_argument("--compile", action="store_true", help="torch.compile the image tower")
    parser.add_argument("--json", metavar="FILE", help="write the figures; - for stdout")
    args = parser.parse_args()
    figures = measure(args.batch, args.size, args.rounds, args.compile)
    out = sys.stderr if args.json == "-" else sys.stdout
    for name, seconds in figures["seconds"].items():
        cpu, loss = figures["cpu_seconds"][name], figures["losses"][name]
        print(f"{name:8} {seconds:7.2f} s  {cpu:7.2f} CPU s  loss {loss:.5f}", file=out)
    for name, ratio in figures["times_as_fast"].items():
        bar, cpu = f"  bar {BARS[name]}" if name in BARS else "", figures["times_as_fast_cpu"][name]
        told = f"{ratio:.2f} times as fast as public, {cpu:.2f} by processor time"
        print(f"{name:8} {told}{bar}", file=out)
    if args.json:
        write_json(figures, Path(args.json))
    return 0


if __name__ == "__main__":
    sys.exit(main())
