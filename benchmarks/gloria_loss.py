"""GLoRIA's local loss against the public implementation's way to compute it: time and memory.

    python benchmarks/gloria_loss.py [--batch N] [--places S] [--words W] [--json FILE]

Both compute the same number, forward and backward, each in a process of its own. The reference
follows the public code's formulas as that code arranges them (marshuang80/gloria,
``gloria/loss/gloria_loss.py``); each of its costs is named where it arises. Memory is the process's
peak beyond what it held before the loss.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from syncxr.pretraining.methods.gloria import GLoRIAOptions, both_ways, local_similarities

BARS = {"time": 0.15, "memory": 0.25}
OPTIONS = GLoRIAOptions()


def made_up(batch: int, side: int, words: int, channels: int) -> tuple[Tensor, Tensor, list[int]]:
    """Features (N, P, D) and (N, W, D) that ask for gradients, and the texts' lengths."""
    generator = torch.Generator().manual_seed(0)
    # Of a size at which no softmax saturates, so that a fault would show in the loss.
    regions = 0.1 * torch.randn(batch, side * side, channels, generator=generator)
    texts = torch.randn(batch, words, channels, generator=generator)
    lengths = torch.randint(words // 2, words + 1, (batch,), generator=generator)
    lengths[0] = words
    return regions.requires_grad_(), texts.requires_grad_(), lengths.tolist()


def ours(regions: Tensor, texts: Tensor, lengths: list[int]) -> Tensor:
    """As this project computes it."""
    exists = torch.arange(texts.shape[1])[None] < torch.tensor(lengths)[:, None]
    return both_ways(OPTIONS.local_scale * local_similarities(regions, texts, exists, OPTIONS))


def reference(regions: Tensor, texts: Tensor, lengths: list[int]) -> Tensor:
    """As the public code computes it."""
    batch, side = len(texts), round(regions.shape[1] ** 0.5)
    maps = regions.transpose(1, 2).reshape(batch, -1, side, side)
    columns = []
    for i in range(batch):  # One pass a text; each builds everything below for all films.
        count = lengths[i]
        # The text is copied once a film.
        query = texts[i, :count].T.unsqueeze(0).contiguous().repeat(batch, 1, 1)  # (N, D, w)
        context = _contexts(query, maps)  # (N, D, w): built in full, and kept for the backward pass
        flat_query = query.transpose(1, 2).contiguous().view(batch * count, -1)
        flat_context = context.transpose(1, 2).contiguous().view(batch * count, -1)
        # Two norms and a product of (N w, D) for one number a row.
        along = (flat_query * flat_context).sum(1)
        lengths_ = flat_query.norm(2, 1) * flat_context.norm(2, 1)
        row = (along / lengths_.clamp(min=1e-8)).view(batch, count)
        columns.append(torch.log((OPTIONS.word_sharpness * row).exp().sum(1, keepdim=True)))
    logits = torch.cat(columns, 1) * OPTIONS.local_scale
    own = torch.arange(batch)
    return cross_entropy(logits, own) + cross_entropy(logits.transpose(0, 1), own)


def _contexts(query: Tensor, maps: Tensor) -> Tensor:
    """What each word of ``query`` (N, D, w) attends to in ``maps`` (N, D, h, w'): (N, D, w)."""
    batch, count = query.shape[0], query.shape[2]
    places = maps.shape[2] * maps.shape[3]
    context = maps.view(batch, -1, places)
    scores = torch.bmm(context.transpose(1, 2).contiguous(), query).view(batch * places, count)
    attention = scores.softmax(-1).view(batch, places, count)
    attention = attention.transpose(1, 2).contiguous().view(batch * count, places)
    attention = (attention * OPTIONS.attention_sharpness).softmax(-1)
    attention = attention.view(batch, count, places).transpose(1, 2).contiguous()
    return torch.bmm(context, attention)


WAYS = {"ours": ours, "reference": reference}


def measure(way: str, shape: tuple[int, int, int, int]) -> dict[str, float]:
    """Loss, norms of the gradients, seconds and peak memory of one way; in a fresh process."""
    regions, texts, lengths = made_up(*shape)
    # Once small, so that libraries are loaded before memory is looked at.
    WAYS[way](*made_up(2, 2, 2, shape[3])).backward()
    before = _peak()
    start = time.perf_counter()
    loss = WAYS[way](regions, texts, lengths)
    loss.backward()
    seconds = time.perf_counter() - start
    assert regions.grad is not None and texts.grad is not None
    return {
        "loss": float(loss.detach()),
        "gradient_regions": float(regions.grad.norm()),
        "gradient_words": float(texts.grad.norm()),
        "seconds": seconds,
        "gigabytes": (_peak() - before) / 2**30,
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--places", type=int, default=19, help="side of the map")
    parser.add_argument("--words", type=int, default=97)
    parser.add_argument("--channels", type=int, default=768)
    parser.add_argument("--json", metavar="FILE", help="write the figures; - for stdout")
    args = parser.parse_args()
    shape = (args.batch, args.places, args.words, args.channels)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = {way: pool.apply(measure, (way, shape)) for way in WAYS}
    figures: dict[str, Any] = {
        "batch": args.batch,
        "places": args.places**2,
        "words": args.words,
        "channels": args.channels,
        "threads": torch.get_num_threads(),
        **found,
        "time_ratio": found["ours"]["seconds"] / found["reference"]["seconds"],
        "memory_ratio": found["ours"]["gigabytes"] / found["reference"]["gigabytes"],
        "bars": BARS,
    }
    out = sys.stderr if args.json == "-" else sys.stdout
    for way, row in found.items():
        print(
            f"{way:10} {row['seconds']:8.1f} s  {row['gigabytes']:6.2f} GiB  loss {row['loss']:.6f}"
            f"  |gradients| {row['gradient_regions']:.6f} {row['gradient_words']:.6f}",
            file=out,
        )
    for name, bar in BARS.items():
        print(f"{name} ratio {figures[f'{name}_ratio']:.3f}  bar {bar}", file=out)
    text = json.dumps(figures, indent=1)
    if args.json == "-":
        print(text)
    elif args.json:
        Path(args.json).write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
