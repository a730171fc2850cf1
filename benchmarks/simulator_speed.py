"""Films a second, all sampling, insertion and processing included.

    python benchmarks/simulator_speed.py [--films N] [--workers W] [--json FILE]

Every film is a new patient in a new pose: a third normal, the rest with one to three findings.
Prints the rate of one process and of two, CPU time a film (which other work on the machine changes
less than the rate), and the memory of a process, beside the bars.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer

BARS = {"films_per_second_224": 15.0, "memory_gb": 1.5}

SENTENCES = (
    "Small left pleural effusion.",
    "Large right pleural effusion.",
    "Moderate cardiomegaly.",
    "Right upper lobe consolidation.",
    "Opacity in the left lower zone.",
    "Small right apical pneumothorax.",
    "Nodule in the left upper lobe.",
    "Right basal atelectasis.",
    "Mild pulmonary edema.",
    "Large mass in the right middle lobe.",
)


def requests(count: int) -> list[RenderRequest]:
    """A mixture of normal and abnormal texts."""
    rng = np.random.default_rng(0)
    made = []
    for seed in range(count):
        picked = rng.choice(len(SENTENCES), size=int(rng.integers(0, 4)) * (seed % 3 > 0))
        text = " ".join(SENTENCES[i] for i in sorted(set(picked.tolist())))
        made.append(RenderRequest(text or "Normal chest. No pleural effusion.", seed))
    return made


class Part(NamedTuple):
    """What one process did."""

    seconds: float
    cpu_seconds: float
    patients: int
    memory_gb: float


def work(size: int, resolution_mm: float, part: list[RenderRequest]) -> Part:
    """Render a part after warming up."""
    renderer = SimulationRenderer(SimulationOptions(size=size, resolution_mm=resolution_mm))
    renderer.render(part[:2])
    start, cpu_start = time.perf_counter(), time.process_time()
    films = [film for request in part for film in renderer.render([request])]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    patients = {json.dumps(film.parameters["patient"]) for film in films}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Part(seconds, cpu_seconds, len(patients), memory)


def measure(films: int, workers: int, size: int, resolution_mm: float) -> dict[str, Any]:
    """Rate with ``workers`` processes that render side by side."""
    everything = requests(films)
    parts = [everything[i::workers] for i in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(work, size, resolution_mm, part) for part in parts]
        done = [future.result() for future in futures]
    return {
        "films": films,
        "workers": workers,
        "size": size,
        "resolution_mm": resolution_mm,
        "variants": sum(part.patients for part in done),
        "films_per_second": films / max(part.seconds for part in done),
        "cpu_seconds_per_film": sum(part.cpu_seconds for part in done) / films,
        "memory_gb": max(part.memory_gb for part in done),
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--large", action="store_true", help="also 512 pixels at 1.25 mm")
    parser.add_argument("--json", help="write the figures here; - for standard output")
    options = parser.parse_args()
    runs = [measure(options.films, workers, 224, 2.0) for workers in options.workers]
    if options.large:
        runs.append(measure(max(20, options.films // 5), max(options.workers), 512, 1.25))
    result = {"source": "one source CT", "bars": BARS, "runs": runs}
    if options.json == "-":
        json.dump(result, sys.stdout, indent=2)
        return
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2), "utf-8")
    for run in runs:
        print(
            f"{run['size']} px, {run['resolution_mm']} mm, {run['workers']} process(es): "
            f"{run['films_per_second']:.1f} films/s over {run['films']} films "
            f"({run['cpu_seconds_per_film']:.3f} CPU seconds each), "
            f"{run['variants']} variants, {run['memory_gb']:.2f} GB a process"
        )
    print(
        f"bars: {BARS['films_per_second_224']:.0f} films/s at 224 px, "
        f"{BARS['memory_gb']} GB a process; one source CT"
    )


if __name__ == "__main__":
    main()
