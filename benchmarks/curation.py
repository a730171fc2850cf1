"""What the inspector catches and what it costs, beside the bars.

    python benchmarks/curation.py [--real FOLDER] [--json FILE]

1. AUROC of each question on fault families that training never saw.
2. 20 % faulty renders planted among good ones: recall and precision by reason.
3. With ``--real``: chest films passed, everything else refused, by the first three questions.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syncxr.corpora.films import read_film
from syncxr.curation.inspector import Inspector
from syncxr.curation.judge import QUESTIONS, SIMILAR, Verdict
from syncxr.curation.labelled_films.families import FAMILIES, FAULTY, HELD_OUT, Family
from syncxr.curation.labelled_films.stock import Stock, simulated_stock
from syncxr.evaluation.metrics.bootstrap import Interval, Resamples, interval
from syncxr.evaluation.metrics.ranking import Ranking
from syncxr.progress import bar, console
from syncxr.sample import Image, derive_seed
from syncxr.views.console import write_json

CONTENT = ("chest", "human", "frontal")
"""The questions that real films are put to."""


def make(family: Family, stock: Stock, index: int) -> Image:
    """The ``index``-th benchmark film of a family."""
    rng = np.random.default_rng(derive_seed(f"benchmark-{index}", family.name, 0))
    return family(stock, rng, float(rng.random()))


def judge(inspector: Inspector, films: Iterable[Image], total: int, label: str) -> list[Verdict]:
    """Verdicts with a bar; films may be made as they are asked for."""
    verdicts = []
    with bar(label, total) as progress:
        for film in films:
            verdicts += inspector.judge([film])
            progress.advance()
    return verdicts


def area(yes: NDArray[np.float64], no: NDArray[np.float64]) -> tuple[float, Interval]:
    """AUROC of good against bad films, with its bootstrap interval."""
    good = np.arange(len(yes) + len(no)) < len(yes)
    ranking = Ranking(good, np.r_[yes, no])
    (drawn,) = Resamples(range(len(good)), samples=500).draw([ranking.auroc])
    return float(ranking.auroc(np.ones((len(good), 1)))[0]), interval(drawn)


def held_out(inspector: Inspector, stock: Stock, each: int) -> dict[str, Any]:
    """AUROC of each question: good films against the held-out families that fail it."""
    good = [FAMILIES["good"].name] * (3 * each)
    names = good + [family.name for family in HELD_OUT for _ in range(each)]
    films = (make(FAMILIES[name], stock, index) for index, name in enumerate(names))
    verdicts = judge(inspector, films, len(names), "held-out families")
    scores: dict[str, list[Verdict]] = defaultdict(list)
    for name, verdict in zip(names, verdicts, strict=True):
        scores[name].append(verdict)
    result: dict[str, Any] = {}
    for question in QUESTIONS:
        yes = np.array([v.answers[question] for v in scores["good"]])
        families = [f.name for f in HELD_OUT if f.answers.get(question) is False]
        # A film that is no chest is no frontal view either: not what this question is tested on.
        if question == "frontal":
            families = [name for name in families if FAMILIES[name].answers.get("chest", True)]
        no = {name: np.array([v.answers[question] for v in scores[name]]) for name in families}
        pooled = np.concatenate(list(no.values()))
        everything = np.array([v.answers[question] for v in verdicts])
        value, between = area(yes, pooled)
        result[question] = {
            "auroc": value,
            "interval": between,
            "n_good": len(yes),
            "n_bad": len(pooled),
            "families": {name: area(yes, values)[0] for name, values in no.items()},
            "answer_deviation": float(everything.std()),
        }
    return result


def planted(inspector: Inspector, stock: Stock, count: int) -> dict[str, Any]:
    """Recall and precision by reason with every fifth film faulty, faults of all families."""
    names = [
        FAULTY[index // 5 % len(FAULTY)].name if index % 5 == 0 else "good"
        for index in range(count)
    ]
    films = (make(FAMILIES[name], stock, 10**6 + index) for index, name in enumerate(names))
    verdicts = judge(inspector, films, count, "planted faults")
    faulty = np.array([bool(FAMILIES[name].fails) for name in names])
    refused = np.array([not verdict.passed for verdict in verdicts])
    reasons = {}
    for question in QUESTIONS:
        truth = np.array([FAMILIES[name].answers.get(question, np.nan) for name in names], float)
        given = np.array([question in verdict.reasons for verdict in verdicts])
        hit = given & (truth == 0)
        reasons[question] = {
            "planted": int((truth == 0).sum()),
            "recall": _share(hit.sum(), (truth == 0).sum()),
            "precision": _share(hit.sum(), (given & ~np.isnan(truth)).sum()),
            "given": int(given.sum()),
        }
    similar = np.array([SIMILAR in verdict.reasons for verdict in verdicts])
    reasons[SIMILAR] = {
        "planted": int(faulty.sum()),
        "recall": _share((similar & faulty).sum(), faulty.sum()),
        "precision": _share((similar & faulty).sum(), similar.sum()),
        "given": int(similar.sum()),
    }
    caught: dict[str, list[bool]] = defaultdict(list)
    for name, out in zip(names, refused, strict=True):
        caught[name].append(bool(out))
    return {
        "n": count,
        "faulty": int(faulty.sum()),
        "recall": _share((refused & faulty).sum(), faulty.sum()),
        "precision": _share((refused & faulty).sum(), refused.sum()),
        "good_lost": _share((refused & ~faulty).sum(), (~faulty).sum()),
        "good_lost_to_similarity": _share((similar & ~faulty).sum(), (~faulty).sum()),
        "reasons": reasons,
        "missed": {
            name: f"{sum(outs)}/{len(outs)}"
            for name, outs in caught.items()
            if FAMILIES[name].fails and not all(outs)
        },
    }


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total**2)) / (1 + z * z / total)
    return float(middle - half), float(middle + half)


def real_groups(folder: Path) -> dict[str, tuple[list[Path], bool]]:
    """Group of real films to its files and whether they should pass."""
    groups: dict[str, tuple[list[Path], bool]] = {}

    def put(name: str, passes: bool, path: Path) -> None:
        groups.setdefault(name, ([], passes))[0].append(path)

    for source in sorted(path.parent for path in folder.glob("*/labels.csv")):
        with (source / "labels.csv").open(newline="") as stream:
            for row in csv.DictReader(stream):
                view = row.get("view", "")
                if row.get("body"):
                    put(row["body"], False, source / row["file"])
                elif view in ("Axial", "Coronal"):
                    put("CT slice", False, source / row["file"])
                elif view == "L":
                    put("lateral", False, source / row["file"])
                elif view:
                    put(source.name, True, source / row["file"])
    return groups


BARS = {"nih_talo": 0.95, "openist_lung": 0.95, "lateral": 9 / 11}
REFUSED = 0.85


def real(inspector: Inspector, folder: Path) -> dict[str, Any]:
    """Share of each group of real films that the first three questions treat rightly."""
    result: dict[str, Any] = {}
    for name, (paths, passes) in real_groups(folder).items():
        verdicts = judge(inspector, map(read_film, paths), len(paths), name)
        failed = [[q for q in CONTENT if q in verdict.reasons] for verdict in verdicts]
        right = sum(bool(reasons) != passes for reasons in failed)
        bar_value = BARS.get(name, None if passes else REFUSED)
        result[name] = {
            "should": "pass" if passes else "be refused",
            "right": right,
            "n": len(paths),
            "share": right / len(paths),
            "interval": wilson(right, len(paths)),
            "bar": bar_value,
            "by_question": {q: sum(q in reasons for reasons in failed) for q in CONTENT},
            "all_six_passed": sum(v.passed for v in verdicts) / len(paths),
            "wrong": [p.name for p, f in zip(paths, failed, strict=True) if bool(f) == passes],
        }
    return result


def show(result: dict[str, Any]) -> None:
    """Figures beside bars."""
    console.print("\nheld-out families, simulated: AUROC, bar 0.95")
    for question, row in result["held_out"].items():
        low, high = row["interval"]
        parts = ", ".join(f"{name} {value:.3f}" for name, value in row["families"].items())
        mark = "ok " if row["auroc"] >= 0.95 else "LOW"
        console.print(
            f"  {mark} {question:14} {row['auroc']:.3f} [{low:.3f}, {high:.3f}]  {parts}"
            f"  ({row['n_good']} good, {row['n_bad']} bad; deviation {row['answer_deviation']:.2f})"
        )
    plant = result["planted"]
    console.print(
        f"\n{plant['faulty']} faulty among {plant['n']}: recall {plant['recall']:.3f}, precision "
        f"{plant['precision']:.3f}, good films lost {plant['good_lost']:.3f}, of which to "
        f"similarity {plant['good_lost_to_similarity']:.3f} (bar 0.02)"
    )
    for reason, row in plant["reasons"].items():
        recall, precision = (
            "  –  " if row[key] is None else f"{row[key]:.3f}" for key in ("recall", "precision")
        )
        console.print(
            f"  {reason:14} recall {recall} of {row['planted']:3}, precision {precision} "
            f"({row['given']} given)"
        )
    console.print(f"  not always caught: {plant['missed']}")
    for name, row in result.get("real", {}).items():
        low, high = row["interval"]
        wanted = "no bar" if row["bar"] is None else f"bar {row['bar']:.3f}"
        mark = "   " if row["bar"] is None else "ok " if row["share"] >= row["bar"] else "LOW"
        console.print(
            f"  {mark} {name:15} should {row['should']}: {row['right']}/{row['n']} = "
            f"{row['share']:.3f} [{low:.3f}, {high:.3f}], {wanted}; refused by {row['by_question']}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stock", type=int, default=120, help="good films simulated")
    parser.add_argument("--each", type=int, default=60, help="films of each held-out family")
    parser.add_argument("--planted", type=int, default=1000, help="films with 20 %% faulty")
    parser.add_argument("--real", type=Path, help="folder of folders with images and labels.csv")
    parser.add_argument("--weights", type=Path, help="another folder of weights")
    parser.add_argument("--json", help="write all figures to this file; - for stdout")
    args = parser.parse_args()
    options = {"weights": args.weights} if args.weights else {}
    inspector = Inspector(Inspector.Options(**options))
    result: dict[str, Any] = {}
    if args.real:
        result["real"] = real(inspector, args.real)
    stock = simulated_stock("benchmark", args.stock)
    result["held_out"] = held_out(inspector, stock, args.each)
    result["planted"] = planted(inspector, stock, args.planted)
    show(result)
    if args.json:
        write_json(result, Path(args.json))


if __name__ == "__main__":
    main()
