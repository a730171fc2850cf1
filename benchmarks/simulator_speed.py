"""Films a second, all sampling, insertion and film processing included, beside its peers.

    python benchmarks/simulator_speed.py [--films N] [--workers W] [--no-large] [--json FILE]

The films are of 125 variants of the source body in as many poses each as N allows (8 for 1,000):
a third normal, the rest with one to three findings, in PA and AP views. Prints the rate of W
processes side by side, CPU time a film (which other work on the machine changes less than the
rate) and the memory of a process: at 224 pixels from a 2 mm and a 1.25 mm body, and at 512 pixels.

DiffDRR and nanodrr, where they are installed (``drr_peers.py`` says how), project the same CT
through the same detector in the same run and process: just path lengths of one body, no patient,
finding or film. They are given the CT as it was scanned, which is what they take, and the 2 mm
body that ours is. One source CT.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from drr_peers import peers, resampled, scanned
from syncxr.images.simulation.projection import cast
from syncxr.images.simulation.reading import instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.simulation.scene import Scene
from syncxr.threads import torch_threads
from syncxr.views.console import write_json

BARS = {
    "films_per_second_224": 15.0,
    "memory_gb": 1.5,
    "times_nanodrr": 4.0,
    "times_DiffDRR": 20.0,
}

VARIANTS = 125

POINTS = {"nanodrr": 500, "DiffDRR": 256, "DiffDRR, Siddon": 0}
"""Points a ray: nanodrr's own default; half of DiffDRR's; Siddon, DiffDRR's default, needs none."""

FILMS_A_ROUND = 6

SENTENCES = (
    "Small left pleural effusion.",
    "Large right pleural effusion.",
    "Moderate cardiomegaly.",
    "Right upper lobe consolidation.",
    "Opacity in the left lower zone.",
    "Small right apical pneumothorax.",
    "Two nodules in the left upper lobe.",
    "Right basal atelectasis.",
    "Mild pulmonary edema.",
    "Large mass in the right middle lobe.",
    "Interstitial opacities.",
    "Emphysema.",
    "Endotracheal tube.",
    "Pacemaker.",
    "Right central venous catheter.",
    "Left rib fracture.",
)


class Work(NamedTuple):
    """One film to make.

    Attributes:
        variant: Seed of the patient.
        seed: Of pose, exposure and findings.
        text: The report.
    """

    variant: int
    seed: int
    text: str


class Part(NamedTuple):
    """What one process did."""

    seconds: float
    cpu_seconds: float
    drawn: int
    memory_gb: float


def plan(count: int) -> list[Work]:
    """A mixture of normal and abnormal texts over variants and poses."""
    rng = np.random.default_rng(0)
    made = []
    for seed in range(count):
        picked = rng.choice(len(SENTENCES), size=int(rng.integers(0, 4)) * (seed % 3 > 0))
        text = " ".join(SENTENCES[i] for i in sorted(set(picked.tolist())))
        made.append(Work(seed % VARIANTS, seed, text or "Normal chest. No pleural effusion."))
    return made


def film(renderer: SimulationRenderer, work: Work) -> int:
    """Make one film; findings drawn."""
    options = renderer.options
    scene, variant = (
        Scene.sample(seed, options.population, options.views)
        for seed in (work.seed, 10**6 + work.variant)
    )
    wanted = instructions(work.text)
    study = renderer.film_of(replace(scene, patient=variant.patient), wanted, work.seed)
    return len(study.drawn)


def run(size: int, resolution_mm: float, part: list[Work]) -> Part:
    """Render a part after warming up."""
    renderer = SimulationRenderer(SimulationOptions(size=size, resolution_mm=resolution_mm))
    for work in part[:3]:
        film(renderer, work)
    start, cpu_start = time.perf_counter(), time.process_time()
    drawn = sum(film(renderer, work) for work in part)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Part(seconds, cpu_seconds, drawn, memory)


def measure(films: int, workers: int, size: int, resolution_mm: float) -> dict[str, Any]:
    """Rate with ``workers`` processes that render side by side."""
    # A body that is not in the cache yet is made before, not beside, what is measured.
    SimulationRenderer(SimulationOptions(size=64, resolution_mm=resolution_mm)).render_entities(
        [], 0
    )
    everything = plan(films)
    parts = [everything[i::workers] for i in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(run, [size] * workers, [resolution_mm] * workers, parts))
    return {
        "films": films,
        "workers": workers,
        "size": size,
        "resolution_mm": resolution_mm,
        "variants": len({work.variant for work in everything}),
        "poses_per_variant": films / len({work.variant for work in everything}),
        "findings_per_film": sum(part.drawn for part in done) / films,
        "films_per_second": films / max(part.seconds for part in done),
        "cpu_seconds_per_film": sum(part.cpu_seconds for part in done) / films,
        "memory_gb": max(part.memory_gb for part in done),
    }


def beside_peers(rounds: int) -> dict[str, Any]:
    """CPU seconds a film, ours and theirs in turn, one thread each: our mean, their medians."""
    renderer = SimulationRenderer(SimulationOptions())
    others = {
        f"{name}, {of}": (peer, POINTS[name])
        for of, volume in (("CT as scanned", scanned()), ("2 mm body", resampled(2.0)))
        for name, peer in peers(volume).items()
    }
    taken: dict[str, list[float]] = {name: [] for name in others}
    ours: list[float] = []
    work = plan(FILMS_A_ROUND * rounds + 3)
    for job in work[:3]:
        film(renderer, job)
    with torch_threads(1):
        for i in range(rounds):
            jobs = work[3 + FILMS_A_ROUND * i :][:FILMS_A_ROUND]
            start = time.process_time()
            for job in jobs:
                film(renderer, job)
            ours.append((time.process_time() - start) / len(jobs))
            rays = cast(Scene.sample(i, "train", {"PA": 1.0}).pose, renderer.options.size)
            for name, (peer, points) in others.items():
                start = time.process_time()
                peer(rays, points)
                taken[name].append(time.process_time() - start)
    mean = float(np.mean(ours))
    return {
        "rounds": rounds,
        "points": POINTS,
        "cpu_seconds_per_film": mean,
        "peers": {
            name: {"cpu_seconds": float(np.median(t)), "times": float(np.median(t)) / mean}
            for name, t in taken.items()
        },
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="films of each peer")
    parser.add_argument("--no-large", action="store_true", help="just 224 pixels at 2 mm")
    parser.add_argument("--json", help="write the figures here; - for standard output")
    options = parser.parse_args()
    runs = [measure(options.films, options.workers, 224, 2.0)]
    if not options.no_large:
        fewer = max(options.workers, options.films // 10)
        runs += [measure(fewer, options.workers, size, 1.25) for size in (224, 512)]
    compared = beside_peers(options.rounds)
    result = {"source": "one source CT", "bars": BARS, "runs": runs, "peers": compared}
    if options.json:
        write_json(result, Path(options.json))
    if options.json == "-":
        return
    show(result)


def show(result: dict[str, Any]) -> None:
    """Print figures beside bars."""
    for each in result["runs"]:
        print(
            f"{each['size']} px, {each['resolution_mm']} mm, {each['workers']} processes: "
            f"{each['films_per_second']:.1f} films/s over {each['films']} films of "
            f"{each['variants']} variants in {each['poses_per_variant']:.1f} poses, "
            f"{each['findings_per_film']:.1f} findings a film "
            f"({each['cpu_seconds_per_film']:.3f} CPU seconds each), "
            f"{each['memory_gb']:.2f} GB a process"
        )
    compared = result["peers"]
    for name, each in compared["peers"].items():
        bar = BARS["times_" + name.split(",")[0]]
        print(
            f"{name}: {each['cpu_seconds']:.2f} CPU seconds a projection, {each['times']:.1f} "
            f"times our {compared['cpu_seconds_per_film']:.3f} with everything (bar {bar:.0f})"
        )
    print(
        f"bars: {BARS['films_per_second_224']:.0f} films/s at 224 px, "
        f"{BARS['memory_gb']} GB a process; one source CT"
    )


if __name__ == "__main__":
    main()
