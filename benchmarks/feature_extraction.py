"""Features from the decoded cache against the bare encoder. Bar: ≥ 90 % of its films a second.

    python benchmarks/feature_extraction.py [--films 1500] [--side 1024] [--size 128]
        [--checkpoint FOLDER] [--repeats 3] [--json FILE]

Measured in one process on the same films, in turns, the median of --repeats:

bare encoder     batches of 32 that lie in memory as floats, through the image tower, nothing else
decoded cache    what `syncxr evaluate` does: bytes from the memory-mapped cache, to features
first pass       decoding and resizing the original files into the cache, which happens once
public loop      what public code does at every epoch: open, decode, resize, normalise each film,
                 stack 32 of them, encode

Films are PNG files of --side pixels, made here (grey noise over a slope, as hard to decode as a
radiograph). The tower is the embedded one at its own start unless --checkpoint is given.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from rich.console import Console

from syncxr.evaluation.films.decoded import decode_films
from syncxr.evaluation.films.features import BATCH, extract, to_tensor
from syncxr.evaluation.testsets.folder import Folder
from syncxr.pretraining.checkpoint import load
from syncxr.pretraining.encoders.image import ImageEncoder, build_image_encoder
from syncxr.pretraining.options import ImageEncoderOptions
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.views.console import write_json

BAR = 0.9


def make_films(folder: Path, count: int, side: int) -> None:
    """A folder of films with labels.csv; hard links of a few dozen different files."""
    generator = np.random.default_rng(0)
    slope = np.add.outer(np.arange(side), np.arange(side)) * (200 / (2 * side))
    first: list[Path] = []
    rows = ["file,labels"]
    for index in range(count):
        path = folder / f"{index:05d}.png"
        if len(first) < 32:
            noise = generator.normal(0, 6, (side, side))
            Pillow.fromarray(np.clip(slope + noise, 0, 255).astype(np.uint8)).save(path)
            first.append(path)
        else:
            path.hardlink_to(first[index % len(first)])
        rows.append(f"{path.name},{'Nodule' if index % 2 else 'No Finding'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """How long a call takes, and how much processor time: on a shared machine the two differ."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


@torch.inference_mode()
def bare(encoder: torch.nn.Module, batches: list[torch.Tensor]) -> None:
    """The tower alone."""
    for batch in batches:
        encoder(batch)


def from_cache(encoder: ImageEncoder, pixels: np.ndarray) -> None:
    """What an evaluation does, without writing the features."""
    for _ in extract(encoder, pixels, [lambda seen: seen.pooled]):
        pass


@torch.inference_mode()
def public_loop(encoder: torch.nn.Module, films: Folder, size: int) -> None:
    """Open, decode, resize, stack, encode: every film, every time."""
    for start in range(0, len(films), BATCH):
        stack = []
        for item in films.items[start : start + BATCH]:
            with Pillow.open(films.root / item.path) as opened:
                small = opened.convert("L").resize((size, size), Pillow.Resampling.BILINEAR)
            stack.append(torch.from_numpy(np.array(small)).float().div(255).unsqueeze(0))
        encoder(torch.stack(stack))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All four, in turns."""
    if arguments.checkpoint:
        model: Any = load(arguments.checkpoint)
    else:
        encoder, _ = build_image_encoder(ImageEncoderOptions())
        model = SimpleNamespace(
            image_encoder=encoder.to(memory_format=torch.channels_last),
            preprocessing=Preprocessing(size=arguments.size),
        )
    encoder, size = model.image_encoder.eval(), model.preprocessing.size
    with tempfile.TemporaryDirectory() as folder:
        make_films(Path(folder), arguments.films, arguments.side)
        films = Folder(Path(folder))
        cache = Path(folder) / "cache"
        first_pass, _ = seconds(lambda: decode_films(films, model.preprocessing, cache))
        pixels = decode_films(films, model.preprocessing, cache).pixels
        batches = [
            to_tensor(np.array(pixels[start : start + BATCH]))
            for start in range(0, len(pixels), BATCH)
        ]
        bare(encoder, batches[:2])
        times: dict[str, list[tuple[float, float]]] = {"bare": [], "cache": []}
        for _ in range(arguments.repeats):
            times["bare"].append(seconds(lambda: bare(encoder, batches)))
            times["cache"].append(seconds(lambda: from_cache(encoder, pixels)))
        part = films.subset(films.items[: arguments.loop_films], "part")
        loop = seconds(lambda: public_loop(encoder, part, size))[0] / len(part)
    rate = {
        name: len(films) / statistics.median(wall for wall, _ in took)
        for name, took in times.items()
    }
    pairs = list(zip(times["bare"], times["cache"], strict=True))
    return {
        "films": len(films), "side": arguments.side, "size": size, "encoder": encoder.name,
        "threads": torch.get_num_threads(), "repeats": arguments.repeats, "bar": BAR,
        "bare_per_second": rate["bare"], "cache_per_second": rate["cache"],
        "ratio": statistics.median(b / c for (b, _), (c, _) in pairs),
        "processor_ratio": statistics.median(b / c for (_, b), (_, c) in pairs),
        "first_pass_per_second": len(films) / first_pass,
        "public_loop_per_second": 1 / loop,
        "cache_over_public_loop": rate["cache"] * loop,
    }  # fmt: skip


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=1500)
    parser.add_argument("--loop-films", type=int, default=320, help="of them, for the public loop")
    parser.add_argument("--side", type=int, default=1024, help="of the original files, pixels")
    parser.add_argument("--size", type=int, default=128, help="that the encoder sees, pixels")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write every figure; - for stdout")
    arguments = parser.parse_args()
    figures = measure(arguments)
    reached = "reached" if figures["ratio"] >= BAR else "MISSED"
    Console(stderr=True, width=110).print(
        f"{figures['films']} films, {figures['side']}² to {figures['size']} px, "
        f"{figures['encoder']}, {figures['threads']} threads\n"
        f"bare encoder          {figures['bare_per_second']:8.1f} films/s\n"
        f"from decoded cache    {figures['cache_per_second']:8.1f} films/s, ratio "
        f"{figures['ratio']:.3f} (of processor time {figures['processor_ratio']:.3f}), "
        f"bar ≥ {BAR}: {reached}\n"
        f"first pass (decoding) {figures['first_pass_per_second']:8.1f} films/s, once\n"
        f"public loop           {figures['public_loop_per_second']:8.1f} films/s; the cache is "
        f"{figures['cache_over_public_loop']:.2f} times as fast at each later pass",
        highlight=False,
    )
    if arguments.json:
        write_json(figures, arguments.json)


if __name__ == "__main__":
    main()
