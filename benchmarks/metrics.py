"""Bootstrap and thresholds at the size of ChestX-ray14's test list, beside public loops.

    OMP_NUM_THREADS=2 python benchmarks/metrics.py [--json FILE]

25,596 images of 2,797 patients, 14 findings at 0.3 to 24 %, made-up scores with ties.

1. AUROC in 1,000 bootstrap samples, by image and by patient, against scikit-learn's
   ``roc_auc_score`` for each sample and finding (timed on ``LOOPED`` samples, then scaled).
2. The thresholds of the greatest F1 and MCC against trying every score with scikit-learn's
   ``f1_score`` and ``matthews_corrcoef`` (timed on ``TRIED`` scores of one finding, then scaled).
3. Everything that a table needs: five measures of 14 findings and their means with intervals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score, matthews_corrcoef, roc_auc_score

from syncxr.evaluation.metrics.bootstrap import Resamples
from syncxr.evaluation.metrics.ranking import Ranking
from syncxr.evaluation.scoring.classification import choose_cuts, score
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.scoring.results import TEST_TUNED
from syncxr.evaluation.scoring.sheet import About
from syncxr.progress import console
from syncxr.views.console import write_json

IMAGES, PATIENTS, FINDINGS, SAMPLES = 25_596, 2_797, 14, 1_000
LOOPED, TRIED = 5, 20
BAR_BOOTSTRAP, BAR_THRESHOLDS = 60.0, 1.0


def made_up() -> Predictions:
    """Labels and scores of the size of the official test list."""
    generator = np.random.default_rng(0)
    share = np.geomspace(0.003, 0.24, FINDINGS)
    labels = (generator.random((IMAGES, FINDINGS)) < share).astype(float)
    scores = np.round(generator.normal(size=labels.shape) + labels, 4)
    return Predictions(
        test_set="made up",
        split="test",
        findings=tuple(f"finding {k}" for k in range(FINDINGS)),
        ids=tuple(map(str, range(IMAGES))),
        units=tuple(map(str, generator.integers(0, PATIENTS, IMAGES))),
        by_patient=True,
        labels=labels,
        scores=scores,
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds on the clock, and the result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def bootstrap(given: Predictions, units: Any) -> tuple[dict[str, float], float]:
    """Ours and the loop; and the greatest difference between the two."""

    def ours(samples: int) -> np.ndarray:
        resamples = Resamples(units, samples)
        columns = zip(given.labels.T == 1, given.scores.T, strict=True)
        ranked = [Ranking(truth, values, resamples.members) for truth, values in columns]
        return np.stack(resamples.draw([ranking.auroc for ranking in ranked]))

    def loop() -> np.ndarray:
        resamples = Resamples(units, LOOPED)
        (counts,) = resamples.blocks()
        found = np.empty((FINDINGS, LOOPED))
        for sample, weights in enumerate(counts.T):
            drawn = np.repeat(np.arange(IMAGES), weights[resamples.members])
            for k in range(FINDINGS):
                found[k, sample] = roc_auc_score(given.labels[drawn, k], given.scores[drawn, k])
        return found

    seconds, _ = timed(lambda: ours(SAMPLES))
    loop_seconds, expected = timed(loop)
    loop_seconds *= SAMPLES / LOOPED
    apart = float(np.abs(ours(LOOPED) - expected).max())
    figures = {"seconds": seconds, "loop_seconds": loop_seconds, "ratio": loop_seconds / seconds}
    return figures, apart


def thresholds(given: Predictions) -> dict[str, float]:
    """Ours and the loop over every distinct score."""
    seconds, cuts = timed(lambda: choose_cuts(given))
    truth, values = given.labels[:, -1] == 1, given.scores[:, -1]
    tried = np.random.default_rng(0).choice(np.unique(values), TRIED)

    def loop() -> list[float]:
        return [m(truth, values >= cut) for cut in tried for m in (f1_score, matthews_corrcoef)]

    loop_seconds, _ = timed(loop)
    every = sum(len(np.unique(column)) for column in given.scores.T)
    loop_seconds *= every / TRIED
    reached = f1_score(truth, values >= cuts[-1].f1.threshold)
    return {
        "seconds": seconds,
        "loop_seconds": loop_seconds,
        "ratio": loop_seconds / seconds,
        "apart": abs(reached - cuts[-1].f1.value),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write every figure here; - for stdout")
    arguments = parser.parse_args()
    given = made_up()
    by_image, apart = bootstrap(given, given.ids)
    by_patient, apart_patient = bootstrap(given, given.units)
    cut = thresholds(given)
    about = About("benchmark", "made up")
    table, _ = timed(lambda: score(given, about, cuts={TEST_TUNED: choose_cuts(given)}))
    figures = {
        "images": IMAGES,
        "patients": PATIENTS,
        "findings": FINDINGS,
        "samples": SAMPLES,
        "bootstrap_by_image": by_image | {"bar_seconds": BAR_BOOTSTRAP},
        "bootstrap_by_patient": by_patient | {"bar_seconds": BAR_BOOTSTRAP},
        "greatest_difference_from_scikit_learn": max(apart, apart_patient),
        "thresholds": cut | {"bar_seconds": BAR_THRESHOLDS},
        "whole_table_seconds": table,
        "loop_timed_on": {"bootstrap_samples": LOOPED, "scores": TRIED},
    }
    for name, found, bar in (
        ("1,000 bootstrap samples by image", by_image, BAR_BOOTSTRAP),
        ("1,000 bootstrap samples by patient", by_patient, BAR_BOOTSTRAP),
        ("max-F1 and max-MCC thresholds", cut, BAR_THRESHOLDS),
    ):
        console.print(
            f"{name}, {FINDINGS} findings, {IMAGES:,} images: {found['seconds']:.2f} s (bar "
            f"{bar:g} s); public loop about {found['loop_seconds']:,.0f} s: × {found['ratio']:,.0f}"
        )
    console.print(f"AUROC differs from scikit-learn's by at most {max(apart, apart_patient):.1e}")
    console.print(f"five measures with intervals of all findings: {table:.1f} s")
    if arguments.json:
        write_json(figures, arguments.json)


if __name__ == "__main__":
    main()
