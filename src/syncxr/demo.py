"""The whole way: reports in; a curated dataset, a trained model and its scores out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from syncxr.config import Config
from syncxr.dataset.reader import read
from syncxr.evaluation.suites import held_out
from syncxr.evaluation.testsets import making
from syncxr.factory.films import film_request
from syncxr.factory.run_folder import open_run
from syncxr.factory.steps import once, seconds
from syncxr.images import RENDERERS
from syncxr.images.faithfulness import faithfulness
from syncxr.pipeline import (
    BACKENDS,
    RunSummary,
    check_parts,
    dataset_hash,
    generate_into,
    identity,
    run_pretraining,
    write_summary,
)
from syncxr.progress import bar
from syncxr.registry import build
from syncxr.views.report import write_report

_CHECKED_FILMS = 100
"""Films on which faithfulness is measured; each is rendered again several times."""


def run_demo(config: Config, folder: Path) -> RunSummary:
    """Audit, generate, check, pre-train, evaluate, report; goes on where it stopped.

    Args:
        config: Settings; a folder made with others is refused.
        folder: Everything lies there.
    """
    checkpoint = folder / "checkpoint"

    def train() -> dict[str, Any]:
        return run_pretraining(config, [folder], checkpoint).to_dict()

    def score() -> dict[str, Any]:
        films = making.make(config.test_set, folder / "test", config.execution.workers)
        return held_out.evaluate(checkpoint, films, folder / "evaluation").to_dict()

    check_parts(config, "corpus", *BACKENDS)
    with open_run(folder, identity(config)):
        generated = generate_into(config, folder, bank=None)
        of = dataset_hash(folder)
        faithful = once(folder, "faithfulness", of, lambda: _check_films(config, folder))
        trained = once(folder, "pretraining", of, train)
        scored = once(folder, "evaluation", of, score)
        places = {"checkpoint": str(checkpoint), "report": str(folder / "report.html")}
        summary = generated.model_copy(
            update={
                "faithfulness": faithful,
                "pretraining": trained,
                "evaluation": scored,
                "paths": {**generated.paths, **places},
                "seconds": seconds(folder),
            }
        )
        write_summary(summary, folder)
        write_report(folder, folder / "report.html")
        return summary


def _check_films(config: Config, folder: Path) -> dict[str, Any]:
    """Faithfulness of the first accepted films, each at the seed of its accepted attempt."""
    renderer = build("renderer", RENDERERS, config.renderer)
    if not hasattr(renderer, "study"):
        return {}  # Only a renderer that can leave a finding out can be held to account.
    requests = []
    for sample in read(folder / "dataset"):
        seed = sample.provenance["film"]["attempts"][-1]["seed"]
        requests.append(film_request(sample, seed))
        if len(requests) == _CHECKED_FILMS:
            break
    with bar("faithfulness", len(requests)) as progress:
        return faithfulness(requests, renderer, progress.advance).to_dict()
