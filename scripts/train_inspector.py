"""Remake the inspector's weights, thresholds and known-bad bank from simulated films alone.

    python scripts/train_inspector.py

No real film is read. Held-out families are not trained on and set no threshold.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from syncxr.assets import fetch
from syncxr.curation.inspector import WEIGHTS
from syncxr.curation.judge import QUESTIONS
from syncxr.curation.labelled_films.families import FAMILIES, GOOD, TRAINED, Family
from syncxr.curation.labelled_films.stock import Stock, simulated_film
from syncxr.curation.network import CONTENT, InspectorNet, prepare
from syncxr.curation.similarity import KnownBad, calibrate, thin
from syncxr.progress import bar, console
from syncxr.sample import Image, derive_seed

SHARES = {"good": 0.2, "inverted": 0.03, "varied": 0.24, "plain_projection": 0.05}
"""Share of each good family among the training films; the faulty ones share the rest evenly."""

AS_RENDERED = ("good", "inverted")
"""Families that look as films of the simulator do: their answers set what may be lost."""

LOST = 0.01
"""Share of good calibration films that one question, or the similarity, may lose."""

BANK, CANDIDATES = 256, 2000
"""Known-bad films kept, and faulty training films they are chosen from."""

CHUNK = 1000
"""Films that are kept together."""

_stock = Stock(())
_keep: Path | None = None


@dataclass(frozen=True)
class Films:
    """Prepared films with what is true of them.

    Attributes:
        coarse: (N, 160, 160) uint8.
        fine: (N, 256, 256) uint8.
        answers: (N, 6), 1 = yes, 0 = no, NaN = open.
        families: Name of the family of each film.
    """

    coarse: Image
    fine: Image
    answers: np.ndarray[Any, np.dtype[np.float32]]
    families: list[str]

    def __len__(self) -> int:
        return len(self.families)

    def rows(self, chosen: list[int]) -> Films:
        """Some of them."""
        names = [self.families[row] for row in chosen]
        return Films(self.coarse[chosen], self.fine[chosen], self.answers[chosen], names)


def truth(family: Family) -> list[float]:
    """Answers of a family in the order of the questions, NaN where open."""
    return [float(family.answers.get(question, np.nan)) for question in QUESTIONS]


def set_stock(films: list[Image]) -> None:
    """Give a worker process the good films."""
    global _stock
    _stock = Stock(films)
    torch.set_num_threads(1)


def make_film(name: str, job: tuple[int, str]) -> tuple[Image, Image]:
    """One prepared film of a family; its seed depends on set, number and family only."""
    index, family = job
    rng = np.random.default_rng(derive_seed(f"{name}-{index}", family, 0))
    return prepare(FAMILIES[family](_stock, rng, float(rng.random())))


def make_films(name: str, jobs: list[str], stock: list[Image], workers: int) -> Films:
    """Films of the families in ``jobs``, made side by side."""
    made = []
    with (
        ProcessPoolExecutor(workers, initializer=set_stock, initargs=(stock,)) as pool,
        bar(f"{name} films", len(jobs)) as progress,
    ):
        for first in range(0, len(jobs), CHUNK):
            part = list(enumerate(jobs))[first : first + CHUNK]
            made.append(_kept(f"{name}-{len(stock)}-{first}", partial(_map, pool, name, part)))
            progress.advance(len(part))
    coarse, fine = (np.concatenate([pair[part] for pair in made]) for part in (0, 1))
    answers = np.array([truth(FAMILIES[family]) for family in jobs], np.float32)
    return Films(coarse, fine, answers, jobs)


def _map(pool: ProcessPoolExecutor, name: str, part: list[tuple[int, str]]) -> list[Image]:
    pairs = list(pool.map(partial(make_film, name), part, chunksize=16))
    return [np.stack([pair[view] for pair in pairs]) for view in (0, 1)]


def _kept(name: str, make: Callable[[], list[Image]]) -> list[Image]:
    """Arrays made once and kept under ``--keep``, so that an interrupted run goes on."""
    if _keep is None:
        return make()
    path = _keep / f"{name}.npz"
    if not path.exists():
        partial_path = path.with_suffix(".partial.npz")
        np.savez(partial_path, *make())
        partial_path.replace(path)
    with np.load(path) as arrays:
        return [arrays[key] for key in arrays.files]


def make_stock(name: str, count: int, workers: int) -> list[Image]:
    """Good films from the simulator."""

    def make() -> list[Image]:
        films = []
        with (
            ProcessPoolExecutor(workers, initializer=set_stock, initargs=([],)) as pool,
            bar(f"{name} stock", count) as progress,
        ):
            for film in pool.map(partial(simulated_film, name), range(count), chunksize=4):
                films.append(film)
                progress.advance()
        return films

    return _kept(f"{name}-stock-{count}", make)


def draw_jobs(count: int, seed: int) -> list[str]:
    """Which family each training film is of."""
    rest = (1 - sum(SHARES.values())) / len(TRAINED)
    names = [*SHARES, *(family.name for family in TRAINED)]
    shares = [*SHARES.values(), *[rest] * len(TRAINED)]
    rng = np.random.default_rng(seed)
    return [str(name) for name in rng.choice(names, count, p=np.array(shares) / sum(shares))]


def loss_of(logits: Tensor, answers: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy over the answered questions; a question's no's weigh as much as its yes's."""
    known = ~answers.isnan()
    target = answers.nan_to_num(0.0)
    weight = torch.where(target > 0.5, 1.0, weights) * known
    each = nn.functional.binary_cross_entropy_with_logits(
        logits, target * 0.98 + 0.01, weight, reduction="none"
    )
    return each.sum() / known.sum()


def balance(answers: np.ndarray[Any, np.dtype[np.float32]]) -> Tensor:
    """Weight of a no for each question: half way (in logarithms) to equal shares."""
    yes, no = np.nansum(answers == 1, 0), np.nansum(answers == 0, 0)
    return torch.tensor(np.sqrt(yes / np.maximum(no, 1)), dtype=torch.float32)


def tensors(films: Films, rows: Any) -> tuple[Tensor, Tensor]:
    """The two views of some films, as the network takes them."""
    coarse, fine = (
        torch.from_numpy(part[rows].astype(np.float32) / 255)[:, None]
        for part in (films.coarse, films.fine)
    )
    return coarse, fine


def start() -> InspectorNet:
    """A network at its ImageNet start, the first blocks frozen."""
    network = InspectorNet()
    network.anatomy.load_imagenet(next(fetch("efficientnet-lite0").glob("*.pth")))
    for part in network.anatomy.frozen():
        part.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def early_features(network: InspectorNet, films: Films) -> Tensor:
    """Output of the untrained blocks for every film, half precision, (N, 40, 20, 20)."""
    parts = []
    with torch.no_grad(), bar("early features", len(films)) as progress:
        for first in range(0, len(films), 64):
            coarse, _ = tensors(films, slice(first, first + 64))
            parts.append(network.eval().early(coarse).half())
            progress.advance(len(coarse))
    return torch.cat(parts)


def train(films: Films, epochs: int, seed: int, batch: int = 32) -> InspectorNet:
    """AdamW under a one-cycle schedule; films vary already, so nothing is augmented here."""
    torch.manual_seed(seed)
    network = start()
    early = early_features(network, films)
    slow = [p for p in network.anatomy.parameters() if p.requires_grad]
    fast = [p for n, p in network.named_parameters() if not n.startswith("anatomy.")]
    optimiser = torch.optim.AdamW(
        [{"params": slow, "lr": 1e-3}, {"params": fast, "lr": 3e-3}], weight_decay=1e-2
    )
    steps = len(films) // batch * epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [1e-3, 3e-3], steps, pct_start=0.2)
    weights = balance(films.answers)
    answers = torch.from_numpy(films.answers)
    rng = np.random.default_rng(seed)
    mean = 0.0
    with bar("training", steps) as progress:
        for step in range(steps):
            at = step % (len(films) // batch)
            if at == 0:
                order = rng.permutation(len(films))
                network.train()
            rows = np.sort(order[at * batch : (at + 1) * batch])
            _, fine = tensors(films, rows)
            logits, _ = network.answer(early[rows].float(), fine)
            loss = loss_of(logits, answers[rows], weights)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            mean = loss.item() if step == 0 else 0.98 * mean + 0.02 * loss.item()
            progress.advance(1, f"loss {mean:.3f}")
    return network.eval()


def halved(network: InspectorNet) -> dict[str, Tensor]:
    """Weights as stored: half precision, counters left out of the rounding."""
    state = network.state_dict()
    halves = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    network.load_state_dict({k: v.float() for k, v in halves.items()})
    return {k: v.contiguous() for k, v in halves.items()}


def score(network: InspectorNet, films: Films) -> tuple[Any, Any]:
    """Logits (N, 6) and features (N, 128)."""
    logits, features = [], []
    with torch.inference_mode():
        for first in range(0, len(films), 32):
            a, b = network(*tensors(films, slice(first, first + 32)))
            logits.append(a.numpy())
            features.append(b.numpy())
    return np.concatenate(logits), np.concatenate(features)


def fix_thresholds(logits: Any, films: Films) -> dict[str, float]:
    """Per question, in the middle of the gap between good films and trained faults.

    The gap reaches from the logit that 95 % of the faults stay below to the one that a share
    :data:`LOST` of the good films stays below; where the two overlap, the latter decides. The
    last three questions ask what a renderer may do, so only films as rendered count there.
    """
    thresholds = {}
    for column, question in enumerate(QUESTIONS):
        passing = films.answers[:, column] == 1
        if column >= CONTENT:
            passing &= np.array([name in AS_RENDERED for name in films.families])
        yes = logits[passing, column]
        no = logits[films.answers[:, column] == 0, column]
        strictest = np.quantile(yes, LOST)
        cut = min(strictest, (strictest + np.quantile(no, 0.95)) / 2)
        thresholds[question] = float(1 / (1 + np.exp(-cut)))
    return thresholds


def choose_bank(network: InspectorNet, films: Films, centre: Any) -> Any:
    """Features of faulty training films that cover the faults, (BANK, 128).

    Only the half least like good training films is drawn from: a film that good ones resemble
    too says nothing.
    """
    faulty = [row for row, name in enumerate(films.families) if FAMILIES[name].fails]
    good = [row for row, name in enumerate(films.families) if name in AS_RENDERED]
    _, bad = score(network, films.rows(faulty[:CANDIDATES]))
    _, fine = score(network, films.rows(good[:CANDIDATES]))
    likeness = KnownBad(fine, centre).similarity(bad)
    bad = bad[likeness <= np.median(likeness)]
    return bad[thin(bad - centre, BANK)]


def main() -> None:
    """Simulate, train, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=500, help="good films simulated")
    parser.add_argument("--samples", type=int, default=5000, help="training films made of them")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for films of an interrupted run")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    global _keep
    _keep = args.keep
    if _keep:
        _keep.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    torch.set_num_threads(args.workers)

    stock = make_stock("training", args.films, args.workers)
    jobs = draw_jobs(args.samples, args.seed)
    films = make_films(f"train-{args.seed}", jobs, stock, args.workers)
    network = train(films, args.epochs, args.seed)

    fresh = make_stock("calibration", args.films, args.workers)
    names = [f.name for f in TRAINED for _ in range(12)]
    names += [f.name for f in GOOD for _ in range({"good": 500, "varied": 200}.get(f.name, 100))]
    held = make_films(f"calibrate-{args.seed}", names, fresh, args.workers)
    stored = halved(network)
    logits, features = score(network, held)
    thresholds = fix_thresholds(logits, held)

    good = np.array([name in AS_RENDERED for name in held.families])
    centre = features[good].mean(0)
    bad = choose_bank(network, films, centre)
    bank = KnownBad(bad, centre)
    max_similarity = calibrate(bank.similarity(features[good]), LOST)

    args.out.mkdir(parents=True, exist_ok=True)
    save_file(stored, args.out / "inspector.safetensors")
    save_file(
        {"bank": torch.from_numpy(bad), "centre": torch.from_numpy(centre)},
        args.out / "known_bad.safetensors",
    )
    record = {
        "thresholds": thresholds,
        "max_similarity": max_similarity,
        "made_by": {
            "command": "python scripts/train_inspector.py "
            + " ".join(f"--{k} {getattr(args, k)}" for k in ("films", "samples", "epochs", "seed")),
            "minutes": round((time.monotonic() - began) / 60, 1),
            "torch": torch.__version__,
        },
    }
    (args.out / "inspector.json").write_text(json.dumps(record, indent=2) + "\n")
    console.print(f"written to {args.out}: {thresholds}, similarity {max_similarity:.3f}")


if __name__ == "__main__":
    main()
