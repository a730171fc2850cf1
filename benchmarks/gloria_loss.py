"""GLoRIA's local loss against the public implementation's way to compute it: time and memory.

    python benchmarks/gloria_loss.py [--batch N] [--places S] [--words W] [--runs R] [--json FILE]

Both compute the same number from the same features, forward and backward. The reference follows
the public code's formulas as that code arranges them (marshuang80/gloria,
``gloria/loss/gloria_loss.py``, commit 9f0cfcf); each of its costs is named where it arises. Texts
have from half to all of the given number of words, evenly drawn (``--full``: all have all), and
neither side computes anything for words that a text does not have.

Each run is a process of its own, the two ways by turns. It computes the loss twice and times the
second, so that loading libraries and the first touch of memory do not count; its memory is the peak
beyond what it held before the loss. Printed are medians, and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from syncxr.pretraining.methods.gloria import GLoRIAOptions, both_ways, local_similarities
from syncxr.views.console import write_json

BARS = {"time": 0.15, "memory": 0.25}
OPTIONS = GLoRIAOptions()


def made_up(
    batch: int, side: int, words: int, channels: int, full: bool = False
) -> tuple[Tensor, Tensor, list[int]]:
    """Maps (N, D, h, w) and words (N, W, D) that ask for gradients, and the texts' lengths.

    Maps lie in memory as the 1×1 convolution before the public loss leaves them: channels first.
    """
    generator = torch.Generator().manual_seed(0)
    # Of a size at which no softmax saturates, so that a fault would show in the loss.
    maps = 0.1 * torch.randn(batch, channels, side, side, generator=generator)
    texts = torch.randn(batch, words, channels, generator=generator)
    lengths = torch.randint(words // 2, words + 1, (batch,), generator=generator)
    lengths[0] = words
    if full:
        lengths[:] = words
    return maps.requires_grad_(), texts.requires_grad_(), lengths.tolist()


def ours(maps: Tensor, texts: Tensor, lengths: list[int]) -> Tensor:
    """As this project computes it."""
    exists = torch.arange(texts.shape[1])[None] < torch.tensor(lengths)[:, None]
    places = maps.flatten(2).transpose(1, 2)
    return both_ways(OPTIONS.local_scale * local_similarities(places, texts, exists, OPTIONS))


def reference(maps: Tensor, texts: Tensor, lengths: list[int]) -> Tensor:
    """As the public code computes it (``local_loss``)."""
    batch = len(texts)
    columns, shown = [], []
    for i in range(batch):  # One pass a text; each builds everything below for all films.
        count = lengths[i]
        # The text is copied once a film: what a broadcast would do for nothing.
        query = texts[i, :count].T.unsqueeze(0).contiguous().repeat(batch, 1, 1)  # (N, D, w)
        context, attention = attend(query, maps)
        # Kept for pictures, of the text's own film.
        shown.append(attention[i].unsqueeze(0).contiguous())
        # Both copied once more, to have words as rows.
        flat_query = query.transpose(1, 2).contiguous().view(batch * count, -1)
        flat_context = context.transpose(1, 2).contiguous().view(batch * count, -1)
        # A product and two norms over (N w, D) for one number a row: ``cosine_similarity``.
        along = (flat_query * flat_context).sum(1)
        lengths_ = flat_query.norm(2, 1) * flat_context.norm(2, 1)
        row = (along / lengths_.clamp(min=1e-8)).view(batch, count)
        row.mul_(OPTIONS.word_sharpness).exp_()
        columns.append(torch.log(row.sum(1, keepdim=True)))
    logits = torch.cat(columns, 1) * OPTIONS.local_scale
    own = torch.arange(batch)
    return cross_entropy(logits, own) + cross_entropy(logits.transpose(0, 1), own)


def attend(query: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Contexts (N, D, w) of words (N, D, w) in maps (N, D, h, w'), and attention (N, w, h, w').

    The public code's ``attention_fn``. Autograd keeps the copies of the maps, of the scores'
    softmax, of the attention in two layouts, and the contexts, once for each text.
    """
    batch, count = query.shape[0], query.shape[2]
    height, width = maps.shape[2:]
    places = height * width
    context = maps.view(batch, -1, places)
    turned = context.transpose(1, 2).contiguous()  # All maps are copied, once a text.
    scores = torch.bmm(turned, query).view(batch * places, count)
    attention = scores.softmax(-1).view(batch, places, count)
    attention = attention.transpose(1, 2).contiguous().view(batch * count, places)  # Copied.
    attention = (attention * OPTIONS.attention_sharpness).softmax(-1)
    attention = attention.view(batch, count, places)
    back = attention.transpose(1, 2).contiguous()  # And copied back.
    # (D, P) times (P, w) for every film and text: as much work again as the scores.
    return torch.bmm(context, back), attention.view(batch, -1, height, width)


WAYS = {"ours": ours, "reference": reference}


def measure(way: str, shape: tuple[int, int, int, int], full: bool) -> dict[str, float]:
    """Loss, norms of the gradients, seconds and peak memory of one way; in a fresh process."""
    maps, texts, lengths = made_up(*shape, full)
    # Once small, so that libraries are loaded before memory is looked at.
    WAYS[way](*made_up(2, 2, 2, shape[3])).backward()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(2):
        maps.grad = texts.grad = None
        start, start_cpu = time.perf_counter(), time.process_time()
        loss = WAYS[way](maps, texts, lengths)
        loss.backward()
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert maps.grad is not None and texts.grad is not None
    return {
        "loss": float(loss.detach()),
        "gradient_maps": float(maps.grad.norm()),
        "gradient_words": float(texts.grad.norm()),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "gigabytes": (after.ru_maxrss - before.ru_maxrss) / 2**20,
    }


def compare(shape: tuple[int, int, int, int], full: bool, runs: int) -> dict[str, Any]:
    """Figures of both ways, by turns, and what becomes of the bars."""
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for _ in range(runs):
            for way in WAYS:
                rows[way].append(pool.apply(measure, (way, shape, full)))
    found = {
        way: {key: statistics.median(row[key] for row in rows[way]) for key in rows[way][0]}
        for way in WAYS
    }
    return {
        "batch": shape[0],
        "places": shape[1] ** 2,
        "words": made_up(*shape, full)[2],
        "channels": shape[3],
        "runs": runs,
        "threads": torch.get_num_threads(),
        **found,
        "time_ratio": found["ours"]["seconds"] / found["reference"]["seconds"],
        "cpu_time_ratio": found["ours"]["cpu_seconds"] / found["reference"]["cpu_seconds"],
        "memory_ratio": found["ours"]["gigabytes"] / found["reference"]["gigabytes"],
        "bars": BARS,
        "all_runs": rows,
    }


def main() -> int:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--places", type=int, default=19, help="side of the map")
    parser.add_argument("--words", type=int, default=97)
    parser.add_argument("--channels", type=int, default=768)
    parser.add_argument("--full", action="store_true", help="all texts have all words")
    parser.add_argument("--runs", type=int, default=3, help="of each way")
    parser.add_argument("--json", metavar="FILE", help="write the figures; - for stdout")
    args = parser.parse_args()
    shape = (args.batch, args.places, args.words, args.channels)
    figures = compare(shape, args.full, args.runs)
    out = sys.stderr if args.json == "-" else sys.stdout
    for way in WAYS:
        row = figures[way]
        print(
            f"{way:10} {row['seconds']:7.2f} s  {row['cpu_seconds']:7.2f} CPU s  "
            f"{row['gigabytes']:5.2f} GiB  loss {row['loss']:.6f}  |gradients| "
            f"{row['gradient_maps']:.6f} {row['gradient_words']:.6f}",
            file=out,
        )
    for name, bar in BARS.items():
        print(f"{name} ratio {figures[f'{name}_ratio']:.3f}  bar {bar}", file=out)
    print(f"CPU time ratio {figures['cpu_time_ratio']:.3f}", file=out)
    if args.json:
        write_json(figures, Path(args.json))
    return 0


if __name__ == "__main__":
    sys.exit(main())
