"""Kill a run with SIGKILL at random moments, start it again each time, and compare.

    python benchmarks/kill_and_resume.py --kills 20
    python benchmarks/kill_and_resume.py --kills 20 --after-shards      # between and within shards
    python benchmarks/kill_and_resume.py --kills 6 --after-shards --executor ray
    python benchmarks/kill_and_resume.py --kills 6 --after-shards --url s3://bucket/kills

The real command line is killed, with all its workers, while it drafts, renders and commits. What
must hold afterwards: every planned sample is in exactly one place, every accepted report
verifies, and the dataset is byte-identical to an undisturbed run from the same drafted text.

Models take seconds to load, so that a kill at a random moment often strikes before a shard. With
``--after-shards`` most kills wait until the run has committed a shard, and strike within the time
that one takes: while the next is worked on, or stored.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from syncxr.config import load_config
from syncxr.dataset.files import read_bytes
from syncxr.dataset.reader import read
from syncxr.dataset.storage import StoragePath, below, locate
from syncxr.entities.plan import Plan
from syncxr.factory.verify import verify
from syncxr.views.console import write_json

SHARD = 4
"""Small shards, so that even a run that is often killed gets on."""

LONGEST = {"drafts": 6.0, "films": 7.0}
"""Seconds after the start of a stage within which a kill strikes: loading, then some shards."""

ONE_SHARD = 2.0
"""Seconds after a new shard within which a kill strikes that waited for one."""

AT_ONCE = 5
"""Of kills that wait for a shard, every so many strikes while models load."""


def command(folder: StoragePath, config: Path) -> list[str]:
    """The run that is killed."""
    return [sys.executable, "-m", "syncxr", "generate", "-o", str(folder), "-c", str(config)]


def write_config(path: Path, pairs: int, executor: str = "local") -> Path:
    """The laptop preset with small shards."""
    raw = load_config("laptop").model_dump(mode="json")
    raw["sampling"]["pairs"] = pairs
    raw["factory"]["shard_size"] = SHARD
    raw["execution"]["executor"] = executor
    path.write_text(yaml.safe_dump(raw))
    return path


def run_with_kills(
    folder: StoragePath,
    config: Path,
    kills: int,
    seed: int,
    longest: Mapping[str, float] = LONGEST,
    *,
    after_shards: bool = False,
) -> list[dict[str, Any]]:
    """Start, kill, start again; then let it end. Returns where each kill struck.

    The first half of the kills strikes while reports are drafted, the second while films are
    rendered. Every other kill strikes the parent alone, which leaves its workers to notice.
    """
    rng = random.Random(seed)
    struck: list[dict[str, Any]] = []
    while len(struck) < kills:
        stage = "drafts" if len(struck) < kills // 2 else "films"
        before = committed(folder)
        process = subprocess.Popen(
            command(folder, config),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for_stage(folder, process, stage)
        if after_shards and len(struck) % AT_ONCE:
            wait_for_shard(folder, process)
            time.sleep(rng.uniform(0.0, ONE_SHARD))
        else:
            time.sleep(rng.uniform(0.0, longest[stage]))
        if process.poll() is not None:
            raise SystemExit(
                f"the run ended (exit {process.returncode}) after {len(struck)} kills; "
                "give more --pairs"
            )
        whole_group = len(struck) % 2 == 0
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        where = {"stage": stage, "workers too": whole_group}
        struck.append(where | {"shards": f"{before} → {committed(folder)}"})
    finish(folder, config)
    return struck


def finish(folder: StoragePath, config: Path) -> None:
    """Let a run come to its end."""
    quiet = subprocess.DEVNULL
    subprocess.run(command(folder, config), check=True, stderr=quiet, stdout=quiet)


def wait_for_stage(folder: StoragePath, process: subprocess.Popen[bytes], stage: str) -> None:
    """Until the log says that this start has begun a stage: a kill during imports proves little."""
    log = folder / "run.jsonl"
    known = log.stat().st_size if log.exists() else 0
    while process.poll() is None:
        if log.exists():
            news = read_bytes(log)[known:]
            if f'"stage": "{stage}"'.encode() in news and b'"stage started"' in news:
                return
        time.sleep(0.02)


def wait_for_shard(folder: StoragePath, process: subprocess.Popen[bytes]) -> None:
    """Until this start has committed a shard."""
    before = committed(folder)
    while process.poll() is None and committed(folder) == before:
        time.sleep(0.02)


def committed(folder: StoragePath) -> int:
    """Committed shards of both stages."""
    return len(list((folder / "records").glob("*.json")))


def undisturbed(source: Path, folder: Path, config: Path) -> None:
    """A run that is left alone, from the drafted text of ``source``."""
    folder.mkdir()
    for name in ("config.yaml", "bank.parquet", "plan.parquet"):
        shutil.copy2(source / name, folder / name)
    for name in ("drafts", "results"):
        shutil.copytree(source / name, folder / name)
    (folder / "records").mkdir()
    for record in (source / "records").glob("drafts-*.json"):
        shutil.copy2(record, folder / "records")
    for rejected in (source / "rejected").glob("drafts-*.parquet"):
        (folder / "rejected").mkdir(exist_ok=True)
        shutil.copy2(rejected, folder / "rejected")
    finish(folder, config)


def differing_files(a: Path, b: Path) -> list[str]:
    """Files of the datasets and of what was rejected that are not byte-identical."""
    names = {
        str(path.relative_to(root))
        for root in (a, b)
        for part in ("dataset", "rejected", "records")
        for path in (root / part).rglob("*")
        if path.is_file()
    }
    return sorted(
        name
        for name in names
        if not ((a / name).exists() and (b / name).exists())
        or (a / name).read_bytes() != (b / name).read_bytes()
    )


def bring_home(run: StoragePath, folder: Path) -> None:
    """A copy of a run on the local disk."""
    for path in run.rglob("*"):
        if path.is_file() and not below(path, run).startswith("."):
            target = folder / below(path, run)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


def measure(
    kills: int,
    pairs: int,
    seed: int,
    work: Path,
    longest: Mapping[str, float] = LONGEST,
    *,
    after_shards: bool = False,
    executor: str = "local",
    url: str | None = None,
) -> dict[str, Any]:
    """The whole experiment; figures as JSON values.

    Args:
        kills: SIGKILLs.
        pairs: Pairs asked for.
        seed: Of the moments.
        work: Scratch folder.
        longest: Seconds after a stage's start within which a kill strikes.
        after_shards: Let most kills wait for a shard.
        executor: Who works in the run that is killed; undisturbed, it is this machine.
        url: Storage of the run that is killed; left out, a local folder.
    """
    config = write_config(work / "config.yaml", pairs, executor)
    killed = locate(url) if url else work / "killed"
    struck = run_with_kills(killed, config, kills, seed, longest, after_shards=after_shards)
    if url:
        bring_home(killed, work / "killed")
    plain = write_config(work / "plain.yaml", pairs)
    undisturbed(work / "killed", work / "undisturbed", plain)
    planned = [report.id for report in Plan.read(work / "killed" / "plan.parquet")]
    kept = [sample.id for sample in read(work / "killed" / "dataset")]
    rejected_files = list((work / "killed" / "rejected").glob("*.parquet"))
    rejected = [s.id for s in read(work / "killed" / "rejected")] if rejected_files else []
    checked = verify(work / "killed")
    return {
        "kills": len(struck),
        "while drafting": sum(kill["stage"] == "drafts" for kill in struck),
        "while rendering": sum(kill["stage"] == "films" for kill in struck),
        "struck": struck,
        "planned": len(planned),
        "accepted": len(kept),
        "rejected": len(rejected),
        "lost": len(set(planned) - set(kept) - set(rejected)),
        "doubled": len(kept) + len(rejected) - len(set(kept) | set(rejected)),
        "accepted reports that verify": checked.verified_texts,
        "faults": checked.faults,
        "differing files": differing_files(work / "killed", work / "undisturbed"),
        "shards left half": sum(1 for _ in (work / "killed").rglob("*.partial")),
    }


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=220)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--after-shards", action="store_true", help="kill after a new shard")
    parser.add_argument("--executor", choices=["local", "ray"], default="local")
    parser.add_argument("--url", help="where the killed run lies, e.g. s3://bucket/kills")
    parser.add_argument("--json", metavar="FILE", help="- for stdout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(
            options.kills,
            options.pairs,
            options.seed,
            Path(scratch),
            after_shards=options.after_shards,
            executor=options.executor,
            url=options.url,
        )
    if options.json:
        write_json(figures, Path(options.json))
    if options.json != "-":
        for name, value in figures.items():
            print(f"{name:>30}  {value}")
    bad = figures["lost"], figures["doubled"], figures["faults"], figures["differing files"]
    return int(any(bad))


if __name__ == "__main__":
    sys.exit(main())
