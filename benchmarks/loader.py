"""The loader of pre-training alone, against bare reading and bare decoding of the same bytes.

    python benchmarks/loader.py [--size 224] [--batch 32] [--counts 1000 10000 50000]
        [--films 2000] [--repeats 5] [--json FILE]

Films are grey noise over a slope, as hard to decode as a radiograph: some dozens of different ones,
tiled over Parquet shards with ids and reports of their own.

from the cache   batches of an epoch in shuffled order: films, ids and one sentence each. Bare is a
                 loop that copies the same films of the same memory-mapped file, in the same order,
                 into batch arrays, and cuts the same words out of the same text file. Bar: 90 %.
first pass       shards read, films decoded, hashed and written to the cache with their words. Bare
                 decodes the same PNG bytes, which lie in memory, with as many threads, and keeps
                 nothing. Bar: 90 %.
resizing         the first pass once more, at half the size: decoding is the same, resizing is added
augmentation     of a batch, apart: it is part of the step, not of the loader
peer             torch's DataLoader over the same films as PNG files, as public code has it: opened,
                 decoded and made a tensor at every epoch; against the loader with its tensors
flatness         both passes at each of --counts, each in a process of its own: time a film, and the
                 most private memory (RssAnon; the cache's pages are the file's own and can be
                 dropped at any time). Bar: at the largest within 15 % of the smallest, or, for
                 memory, 64 MB.

Loader and bare take turns in one process; figures are medians of --repeats. On a machine that has
other work wall time says little, so that processor time is printed, too; the ratio is of that.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as Pillow
from rich.console import Console
from scipy.ndimage import gaussian_filter

from syncxr.dataset.schema import SCHEMA, encode_png
from syncxr.pretraining.data.loader import Batch, Loader, Part
from syncxr.pretraining.data.sources.generated import GeneratedDataset
from syncxr.pretraining.data.store.building import THREADS
from syncxr.pretraining.data.store.decoded import Decoded, decode
from syncxr.pretraining.data.store.layout import (
    FILMS,
    ID,
    PAIR_BOUNDS,
    SENTENCES,
    TEXT,
    TEXT_BOUNDS,
)
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.views.console import write_json

BAR = 0.9
FLAT = 1.15
FLAT_BYTES = 64e6
_DIFFERENT = 48
_SHARD = 500


def make_films(size: int) -> list[bytes]:
    """PNG files of fine structures over a slope, as long and as slow to decode as rendered ones."""
    generator = np.random.default_rng(0)
    slope = np.add.outer(np.arange(size), np.arange(size)) * (160 / (2 * size)) + 30
    films = []
    for _ in range(_DIFFERENT):
        fine = gaussian_filter(generator.normal(0, 1, (size, size)), 1.0)
        coarse = gaussian_filter(generator.normal(0, 1, (size, size)), 4.0)
        film = slope + 6 * fine / fine.std() + 12 * coarse / coarse.std()
        films.append(encode_png(np.clip(film, 0, 255).astype(np.uint8)))
    return films


def make_dataset(folder: Path, count: int, films: list[bytes]) -> Path:
    """A generated dataset of shards; the films recur, ids and texts do not."""
    for shard, begin in enumerate(range(0, count, _SHARD)):
        rows = [
            {
                "id": f"0001-{i:07d}",
                "image": {"bytes": films[i % len(films)], "path": f"{i}.png"},
                "findings": f"There is a nodule of {i % 30} mm in the left upper lobe. The "
                f"heart is normal in size. There is no pleural effusion or pneumothorax. Case {i}.",
                "impression": f"Nodule of {i % 30} mm.",
                "entities": [],
                "masks": [],
                "quality": [],
                "provenance": "{}",
            }
            for i in range(begin, min(begin + _SHARD, count))
        ]
        path = folder / "data" / f"train-{shard:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(rows, SCHEMA)
        pq.write_table(table, path, compression="zstd", row_group_size=100)
    return folder


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor seconds."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


def in_turns(repeats: int, count: int, **works: Callable[[], Any]) -> dict[str, dict[str, float]]:
    """Films a second of several ways, by both clocks; medians over turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            found[name].append(timed(work))
    return {
        name: {
            "films_per_second": round(count / statistics.median(wall for wall, _ in times)),
            "cpu_us_per_film": round(statistics.median(cpu for _, cpu in times) / count * 1e6, 2),
        }
        for name, times in found.items()
    }


def ratio(figures: dict[str, dict[str, float]], bare: str, loader: str = "loader") -> float:
    """Speed of the loader as a share of the bare way, by processor time."""
    return round(figures[bare]["cpu_us_per_film"] / figures[loader]["cpu_us_per_film"], 3)


def open_loader(decoded: Decoded) -> Loader:
    """All pairs of a source, sentences as captions."""
    return Loader([Part(decoded, np.arange(len(decoded)))], "sentence")


def drain(batches: Iterator[Batch]) -> None:
    """Take all batches."""
    for _ in batches:
        pass


class Bare:
    """The cache read by the barest loops, in the loader's order."""

    def __init__(self, folder: Path, decoded: Decoded, batch: int) -> None:
        size = decoded.films.shape[1]
        self.films = np.memmap(folder / FILMS, np.uint8, "r").reshape(-1, size, size)
        self.text = np.memmap(folder / TEXT, np.uint8, "r").data
        self.bounds = np.memmap(folder / TEXT_BOUNDS, np.int64, "r").tolist()
        self.pairs = np.memmap(folder / PAIR_BOUNDS, np.int64, "r").tolist()
        self.batch = batch
        # The same rows in the same order, looked up beforehand.
        rows = {name: i for i, name in enumerate(decoded.words.column(np.arange(len(decoded)), ID))}
        batches = open_loader(decoded).batches(0, 0, batch)
        self.order = [[rows[name] for name in taken.ids] for taken in batches]

    def films_only(self) -> None:
        """Films into batch arrays."""
        shape = (self.batch, *self.films.shape[1:])
        for rows in self.order:
            out = np.empty(shape, np.uint8)
            for place, row in enumerate(rows):
                out[place] = self.films[row]

    def films_and_words(self) -> None:
        """And the id and a sentence of each."""
        shape = (self.batch, *self.films.shape[1:])
        for rows in self.order:
            out = np.empty(shape, np.uint8)
            ids, texts = [], []
            for place, row in enumerate(rows):
                out[place] = self.films[row]
                first = self.pairs[row]
                ids.append(self._string(first + ID))
                texts.append(self._string(first + SENTENCES))

    def _string(self, place: int) -> str:
        return str(self.text[self.bounds[place] : self.bounds[place + 1]], "utf-8")


def from_cache(dataset: Path, cache: Path, size: int, batch: int, repeats: int) -> dict[str, Any]:
    """Epochs from the cache, in turns with the bare loops."""
    decoded = decode(GeneratedDataset(dataset), Preprocessing(size=size), cache, 0.01)
    bare = Bare(cache / decoded.index.key[:32], decoded, batch)
    loader = open_loader(decoded)
    figures = in_turns(
        repeats,
        loader.steps(batch) * batch,
        bare_films=bare.films_only,
        bare=bare.films_and_words,
        loader=lambda: drain(loader.batches(0, 0, batch)),
    )
    return {
        **figures,
        "ratio": ratio(figures, "bare"),
        "ratio_to_films_alone": ratio(figures, "bare_films"),
    }


def first_pass(dataset: Path, size: int, repeats: int) -> dict[str, Any]:
    """Decoding into a fresh cache, in turns with bare decoding of the same bytes."""
    paths = sorted(dataset.rglob("*.parquet"))
    tables = [pq.ParquetFile(path).read(columns=["image.bytes"]) for path in paths]
    films = [film.as_py()["bytes"] for table in tables for film in table["image"]]

    def bare() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            parts = [films[i : i + 16] for i in range(0, len(films), 16)]
            for _ in pool.map(_decode_all, parts):
                pass

    with tempfile.TemporaryDirectory() as caches:

        def into(side: int) -> Callable[[], None]:
            def work() -> None:
                cache = Path(tempfile.mkdtemp(dir=caches))
                decode(GeneratedDataset(dataset), Preprocessing(size=side), cache, 0.01)

            return work

        figures = in_turns(
            repeats, len(films), bare=bare, loader=into(size), resizing=into(max(32, size // 2))
        )
    return {**figures, "threads": THREADS, "ratio": ratio(figures, "bare")}


def _decode_all(films: list[bytes]) -> None:
    for film in films:
        with Pillow.open(io.BytesIO(film)) as opened:
            np.asarray(opened.convert("L"))


def augmentation(size: int, batch: int, repeats: int) -> dict[str, Any]:
    """Of one batch, by the default strengths."""
    import torch

    from syncxr.pretraining.augmentation import augment
    from syncxr.pretraining.options import Augmentation

    films = torch.rand(batch, 1, size, size)

    def work() -> None:
        for seed in range(8):
            augment(films, Augmentation(), torch.Generator().manual_seed(seed))

    return in_turns(repeats, 8 * batch, augmentation=work)["augmentation"]


def peer(
    films: list[bytes], folder: Path, decoded: Decoded, batch: int, repeats: int
) -> dict[str, Any]:
    """DataLoader of torch over PNG files, and the loader with tensors as the step takes them."""
    import torch
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    from syncxr.pretraining.model import as_pixels

    size = decoded.films.shape[1]
    count = min(len(decoded), 2000)
    rows = []
    for number in range(count):
        path = folder / f"{number:05d}.png"
        path.write_bytes(films[number % len(films)])
        rows.append((str(path), f"Nodule of {number} mm."))

    class Films(Dataset[tuple[torch.Tensor, str]]):
        """As public code writes it."""

        transform = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])

        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, number: int) -> tuple[torch.Tensor, str]:
            path, text = rows[number]
            return self.transform(Pillow.open(path).convert("L")), text

    public = DataLoader(
        Films(), batch, shuffle=True, num_workers=THREADS, drop_last=True, persistent_workers=True
    )
    loader = Loader([Part(decoded, np.arange(count))], "sentence")

    def ours() -> None:
        for taken in loader.batches(0, 0, batch):
            as_pixels(taken.films)

    list(public)  # its workers start once
    epochs = in_turns(repeats, count // batch * batch, public=lambda: list(public), loader=ours)
    rates = {name: figures["films_per_second"] for name, figures in epochs.items()}
    return {"films_per_second": rates, "times": round(rates["loader"] / rates["public"], 1)}


@contextmanager
def private_memory() -> Iterator[dict[str, float]]:
    """The most private memory while the block runs, in bytes."""
    found, over = {"peak": 0.0}, threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            lines = Path("/proc/self/status").read_text().splitlines()
            (now,) = (line.split()[1] for line in lines if line.startswith("RssAnon"))
            found["peak"] = max(found["peak"], int(now) * 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def at_one_size(dataset: Path, size: int, batch: int) -> dict[str, Any]:
    """Both passes over one dataset, for a process of its own."""
    with tempfile.TemporaryDirectory() as cache, private_memory() as memory:

        def decoding() -> Decoded:
            return decode(GeneratedDataset(dataset), Preprocessing(size=size), Path(cache), 0.01)

        first = timed(decoding)
        peak_first = memory["peak"]
        memory["peak"] = 0.0
        opening = timed(decoding)
        loader = open_loader(decoding())
        count = len(loader)
        orders = [loader.batches(0, epoch, batch) for epoch in range(3)]
        epoch = min(timed(partial(drain, order))[1] for order in orders)
    return {
        "films": count,
        "first_pass_ms_per_film": round(first[1] / count * 1e3, 3),
        "epoch_us_per_film": round(epoch / count * 1e6, 2),
        "opening_us_per_film": round(opening[0] / count * 1e6, 2),
        "first_pass_private_mb": round(peak_first / 1e6),
        "epoch_private_mb": round(memory["peak"] / 1e6),
    }


def flatness(counts: list[int], size: int, batch: int, films: list[bytes]) -> dict[str, Any]:
    """Both passes at several sizes of the corpus."""
    runs = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            make_dataset(Path(folder), count, films)
            command = [sys.executable, __file__, "--one", folder, "--size", str(size)]
            done = subprocess.run(
                [*command, "--batch", str(batch)], check=True, stdout=subprocess.PIPE, text=True
            )
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    first, last = runs[0], runs[-1]
    growth = {key: round(last[key] / first[key], 3) for key in first if key != "films"}
    flat = all(growth[key] <= FLAT for key in ("first_pass_ms_per_film", "epoch_us_per_film"))
    thin = all(
        growth[key] <= FLAT or last[key] - first[key] <= FLAT_BYTES / 1e6
        for key in ("first_pass_private_mb", "epoch_private_mb")
    )
    return {"runs": runs, "growth": growth, "met": flat and thin}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything."""
    films = make_films(options.size)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        dataset = make_dataset(folder / "dataset", options.films, films)
        cache, files = folder / "cache", folder / "files"
        files.mkdir()
        shape = (options.size, options.batch, options.repeats)
        cached = from_cache(dataset, cache, *shape)
        decoded = decode(GeneratedDataset(dataset), Preprocessing(size=options.size), cache, 0.01)
        return {
            "settings": {"size": options.size, "batch": options.batch, "films": options.films},
            "from_cache": cached,
            "first_pass": first_pass(dataset, options.size, options.repeats),
            "augmentation": augmentation(*shape),
            "peer": peer(films, files, decoded, options.batch, options.repeats),
            "flatness": flatness(options.counts, options.size, options.batch, films),
            "bar": BAR,
        }


def show(found: dict[str, Any], out: Console) -> bool:
    """Figures beside bars; whether all are met."""
    met = True
    for name in ("from_cache", "first_pass"):
        part = found[name]
        good = part["ratio"] >= BAR
        met = met and good
        out.print(f"{name}: {part['ratio']:.3f} of bare (bar {BAR}) {'met' if good else 'MISSED'}")
        for way, figures in part.items():
            if isinstance(figures, dict):
                rate, cpu = figures["films_per_second"], figures["cpu_us_per_film"]
                out.print(f"  {way:<12} {rate:>9,.0f} films/s   {cpu:>9,.1f} µs of a core a film")
    alone = found["from_cache"]["ratio_to_films_alone"]
    out.print(f"  against copying the films without any words: {alone:.3f}")
    out.print(f"augmentation: {found['augmentation']['cpu_us_per_film']:,.0f} µs of a core a film")
    rates = found["peer"]["films_per_second"]
    out.print(
        f"peer: DataLoader over PNG files {rates['public']:,.0f} films/s, loader "
        f"{rates['loader']:,.0f} films/s, {found['peer']['times']} times"
    )
    flat = found["flatness"]
    out.print(f"flatness: {'met' if flat['met'] else 'MISSED'} (bar {FLAT} from first to last)")
    for run in flat["runs"]:
        out.print("  " + "  ".join(f"{key} {value:,}" for key, value in run.items()))
    return met and bool(flat["met"])


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=224, help="side of the films in pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--films", type=int, default=2_000)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="- for stdout")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(at_one_size(options.one, options.size, options.batch)))
        return 0
    found = measure(options)
    met = show(found, Console(stderr=True))
    if options.json:
        write_json(found, Path(options.json))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
