"""Simulated films for benchmarks that train on them: rendered in processes, kept in a folder.

Films are kept in blocks whose names carry a hash of what is asked for and of the simulator's code,
so that a run can be repeated or lengthened without rendering anew what is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

import syncxr.images.simulation as simulation
from syncxr.entities.lexicon import load_lexicon
from syncxr.images.look import equalise, same_look
from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.organs import organs_of
from syncxr.images.simulation.reading import Instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.progress import bar
from syncxr.sample import Entity, Polarity

BLOCK = 64
"""Films a file."""


@dataclass(frozen=True)
class Wanted:
    """One film to make.

    Attributes:
        findings: Concept, place and severity of each finding.
        seed: Of patient, pose, exposure and all that is left open.
        population: ``"train"`` or ``"held_out"`` patients.
    """

    findings: tuple[tuple[str, str, str], ...]
    seed: int
    population: str = "train"

    @property
    def entities(self) -> tuple[Entity, ...]:
        """As statements."""
        concepts = load_lexicon().concepts
        return tuple(concepts[c].entity(Polarity.PRESENT, p, s) for c, p, s in self.findings)


@dataclass(frozen=True)
class Made:
    """Films as made.

    Attributes:
        films: In the common look, or as they are if lung fields were wanted, (N, S, S); or only
            patches round the first finding, (N, P, P).
        lungs: Lung fields as readers outline them, (N, S, S).
        shown: Concepts that each film shows.
    """

    films: NDArray[np.uint8]
    lungs: NDArray[np.bool_]
    shown: tuple[frozenset[str], ...]


def make(
    wanted: Sequence[Wanted],
    size: int,
    folder: Path,
    workers: int = 2,
    *,
    lungs: bool = False,
    patch: int = 0,
) -> Made:
    """Render, or read what is there.

    Args:
        wanted: What each film is to show.
        size: Of the films, pixels.
        folder: Where blocks are kept.
        workers: Processes, each with one thread and about 1 GB.
        lungs: Whether lung fields are wanted; else they are empty.
        patch: Side of the patches that are wanted instead of films, pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blocks = [tuple(wanted[start : start + BLOCK]) for start in range(0, len(wanted), BLOCK)]
    files = [folder / _name(block, size, lungs, patch) for block in blocks]
    missing = [place for place, file in enumerate(files) if not file.exists()]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if missing:
        with (
            ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
            bar("films", len(missing) * BLOCK) as progress,
        ):
            jobs = [pool.submit(_block, blocks[i], size, lungs, patch, files[i]) for i in missing]
            for job in jobs:
                job.result()
                progress.advance(BLOCK)
    return _joined(files, size)


def mixed(films: Sequence[Wanted], seed: int = 0) -> list[Wanted]:
    """In a random order, so that blocks cost alike."""
    order = np.random.default_rng(seed).permutation(len(films))
    return [films[int(place)] for place in order]


def _name(block: Sequence[Wanted], size: int, lungs: bool, patch: int) -> str:
    asked = json.dumps([[w.findings, w.seed, w.population] for w in block])
    text = f"{code_digest()} {size} {lungs} {asked}" + (f" {patch}" if patch else "")
    return hashlib.sha256(text.encode()).hexdigest()[:24] + ".npz"


@cache
def code_digest() -> str:
    """Of the simulator's source: another simulator makes other films."""
    root = Path(simulation.__file__).parent
    found = hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _block(block: Sequence[Wanted], size: int, lungs: bool, patch: int, file: Path) -> None:
    rows = list(_films(block, size, lungs, patch))
    part = file.with_suffix(f".{os.getpid()}.part.npz")
    np.savez(
        part,
        films=np.stack([film for film, _, _ in rows]),
        lungs=np.packbits([field for _, field, _ in rows], axis=2),
        shown=np.array(json.dumps([sorted(names) for _, _, names in rows])),
    )
    part.replace(file)


def _films(
    block: Sequence[Wanted], size: int, lungs: bool, patch: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_], set[str]]]:
    for one in block:
        renderer = _renderer(size, one.population)
        study = renderer.follow(Instructions(one.entities), one.seed)
        field = np.zeros((size, size), bool)
        if lungs:
            organs = organs_of(study.scene, patient_of(study.film.parameters), size)
            field = np.logical_or(*organs.lung_fields)
        film = study.film.image
        # The common look crops borders: lung fields would not stay where they are.
        look = film if lungs else same_look(film, size)
        if patch:
            mask = next(iter(study.film.masks.values()), np.ones((size, size), bool))
            look = _patch(equalise(film), mask, patch)
        yield look, field, {entity.concept for entity in study.film.shown}


def _patch(film: NDArray[np.uint8], mask: NDArray[np.bool_], side: int) -> NDArray[np.uint8]:
    """The square of a film whose middle is that of a mask, within the film."""
    middle = np.argwhere(mask).mean(0)
    row, column = (int(np.clip(m - side / 2, 0, len(film) - side)) for m in middle)
    return film[row : row + side, column : column + side]


@lru_cache(maxsize=2)
def _renderer(size: int, population: Any) -> SimulationRenderer:
    return SimulationRenderer(SimulationOptions(size=size, population=population))


def patient_of(parameters: dict[str, Any]) -> Patient:
    """The patient of a film, as its findings have made him."""
    fields = parameters["patient"]
    return Patient(**{**fields, "wobble": tuple(fields["wobble"])})


def _joined(files: Sequence[Path], size: int) -> Made:
    films, lungs, shown = [], [], []
    for file in files:
        with np.load(file) as arrays:
            films.append(arrays["films"])
            lungs.append(np.unpackbits(arrays["lungs"], axis=2, count=size).astype(bool))
            shown += [frozenset(names) for names in json.loads(str(arrays["shown"]))]
    if not files:
        empty = np.zeros((0, size, size))
        return Made(empty.astype(np.uint8), empty.astype(bool), ())
    return Made(np.concatenate(films), np.concatenate(lungs), tuple(shown))


def real(film: NDArray[np.uint8], size: int, equalised: bool = True) -> NDArray[np.uint8]:
    """A real film in the common look, or only resized."""
    if equalised:
        return same_look(film, size)
    picture = Pictures.fromarray(film).resize((size, size), Pictures.Resampling.BILINEAR)
    return np.asarray(picture)
