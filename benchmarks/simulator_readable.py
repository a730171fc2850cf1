"""Can a plain reader tell the simulator's findings apart?

    python benchmarks/simulator_readable.py [--train 600] [--patients 10] [--size 224]
        [--work DIR] [--json FILE]

The reader: features of an ImageNet network as it is (EfficientNet-Lite0; means and maxima of four
of its maps, two of them over a coarse grid) and logistic regression. Films in the common look, each
shown mirrored as well, since findings here are on either side; a film's score is the mean of both.
It learns on films of ``train`` patients and is asked about films of ``held_out`` ones, whose
deformation lies beyond any training patient's. Every film shows one finding; a finding is scored
against films with *other* findings, never against normal ones. AUROC with 95 % intervals (bootstrap
by patient) beside the bars of the issue, then look-alikes, told apart by a reader of those films
alone (small things by a detector, ``small_findings.py``), then whether each step of severity raises
the score in the same patient. One source CT.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import adaptive_avg_pool2d, adaptive_max_pool2d, interpolate

from simulated_films import Wanted, make, mixed
from small_findings import Detector
from syncxr.entities.lexicon import load_lexicon
from syncxr.evaluation.metrics.bootstrap import Resamples, interval
from syncxr.evaluation.metrics.ranking import Ranking
from syncxr.images.simulation.findings.finding import SEVERITIES
from syncxr.pretraining.encoders.image import build_image_encoder
from syncxr.pretraining.options import ImageEncoderOptions
from syncxr.sample import derive_seed
from syncxr.views.console import write_json

BARS: dict[str, tuple[str, str]] = {
    "cardiomegaly": ("cardiomegaly", "severe"),
    "moderate effusion": ("pleural effusion", "moderate"),
    "large pneumothorax": ("pneumothorax", "severe"),
    "lobar consolidation": ("consolidation", "severe"),
    "mass": ("mass", "severe"),
    "pacemaker": ("pacemaker", ""),
    "endotracheal tube": ("endotracheal tube", ""),
}
"""Name to concept and severity whose AUROC is to reach :data:`READABLE`."""

READABLE = 0.90

ALIKE = (
    ("pleural effusion", "consolidation"),
    ("pleural effusion", "lobar collapse"),
    ("pleural effusion", "atelectasis"),
    ("consolidation", "lobar collapse"),
    ("consolidation", "atelectasis"),
    ("pulmonary edema", "infiltrate"),
    ("pneumothorax", "skin fold"),
)
"""Pairs to be told apart; ``atelectasis`` are linear ones."""

APART = 0.80

SMALL = (("nodule", "granuloma"),)
"""Pairs told apart in three ways. What differs is how dense a thing of few pixels is: means and
maxima over the whole film do not hold it (the plain reader, which has no bar here), a patch round
the finding does ("shown where"), and a detector, which learns from such patches, finds the place in
the whole film itself ("found"): that is what reading a nodule is."""

PATCH, SMALL_FILMS, EMPTY_FILMS = 64, 120, 120
"""Side of a patch, pixels; films of each finding to learn from; whole films with other findings in
which the detector learns what is none."""

OTHERS = (
    "interstitial opacity",
    "pneumonia",
    "emphysema",
    "cavity",
    "pleural thickening",
    "hiatal hernia",
    "mediastinal widening",
    "scoliosis",
    "chest tube",
    "central venous catheter",
    "sternotomy wires",
    "pulmonary fibrosis",
)
"""Further findings that the asked ones must be told from."""

ASKED = tuple(
    dict.fromkeys([c for c, _ in BARS.values()] + [c for pair in (*ALIKE, *SMALL) for c in pair])
)

SHARE = 2.0
"""Training films of a finding that is asked for, against one of the others."""

PENALTY = 3e-3
"""Inverse strength of the ridge on standardised features: far fewer films than features."""

SAMPLES = 1000


def severities(concept: str) -> tuple[str, ...]:
    """What a finding is drawn at; a lobe filled whole is the top of consolidation."""
    graded = load_lexicon().concepts[concept].scale != "none" or concept == "consolidation"
    return SEVERITIES if graded else ("",)


def one(concept: str, severity: str, seed: int, population: str) -> Wanted:
    """A film with one finding; side and place are drawn by the seed."""
    return Wanted(((concept, "", severity),), seed, population)


def training(count: int) -> list[Wanted]:
    """Films of train patients, severities in turn."""
    weights = dict.fromkeys(ASKED, SHARE) | dict.fromkeys(OTHERS, 1.0)
    films = []
    for concept, weight in weights.items():
        scale = severities(concept)
        for place in range(round(count * weight / sum(weights.values()))):
            seed = derive_seed(concept, "readable train", place) % 10**9
            films.append(one(concept, scale[place % len(scale)], seed, "train"))
    return mixed(films)


def testing(patients: int) -> list[Wanted]:
    """Films of held-out patients, the asked findings at every severity in the same patient."""
    films = []
    for concept in (*ASKED, *OTHERS):
        scale = severities(concept)
        for place in range(patients):
            seed = derive_seed(concept, "readable test", place) % 10**9
            chosen = scale if concept in ASKED else (scale[place % len(scale)],)
            films += [one(concept, severity, seed, "held_out") for severity in chosen]
    return mixed(films)


def features(films: NDArray[np.uint8], kept: Path) -> NDArray[np.float32]:
    """Of films and their mirror images, (N, 2, D); kept."""
    if not kept.exists():
        made = [looked_at(films), looked_at(np.ascontiguousarray(films[:, :, ::-1]))]
        np.save(kept, np.stack(made, axis=1))
    found: NDArray[np.float32] = np.load(kept)
    return found


def looked_at(films: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means and maxima of four maps of the network, two of them over a coarse grid, (N, D)."""
    encoder = build_image_encoder(ImageEncoderOptions(weights="efficientnet-lite0"))[0].eval()
    rows = []
    for start in range(0, len(films), 16):
        batch = torch.from_numpy(films[start : start + 16]).unsqueeze(1).float() / 255
        if batch.shape[-1] <= PATCH:
            batch = interpolate(batch, scale_factor=3, mode="bicubic").clamp(0, 1)
        pixels = (batch.expand(-1, 3, -1, -1) - encoder.mean) / encoder.deviation
        with torch.inference_mode():
            _, maps = encoder.backbone.forward_intermediates(
                pixels.contiguous(memory_format=torch.channels_last), output_fmt="NCHW"
            )
            parts = [pool(m, 1) for m in maps[1:] for pool in (adaptive_avg_pool2d, _most)]
            parts += [pool(m, 5) for m in maps[2:4] for pool in (adaptive_avg_pool2d, _most)]
            rows.append(torch.cat([part.flatten(1) for part in parts], 1).numpy())
    return np.concatenate(rows).astype(np.float32)


def _most(values: torch.Tensor, side: int) -> torch.Tensor:
    found: torch.Tensor = adaptive_max_pool2d(values, side)
    return found


@dataclass(frozen=True)
class Reader:
    """Logistic regression on standardised features, of both views of a film."""

    fitted: Pipeline

    @classmethod
    def of(cls, features: NDArray[np.float32], truth: NDArray[np.bool_]) -> Reader:
        """Learn from features (N, 2, D)."""
        model = make_pipeline(
            StandardScaler(),
            LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=300),
        )
        return cls(model.fit(np.concatenate([*features.swapaxes(0, 1)]), np.tile(truth, 2)))

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log odds, (N,)."""
        both = [self.fitted.decision_function(view) for view in features.swapaxes(0, 1)]
        found: NDArray[np.float64] = np.mean(both, axis=0)
        return found


@dataclass(frozen=True)
class Films:
    """Films as the reader gets them.

    Attributes:
        wanted: What each was to show.
        seen: Whether the finding is visible: if not, the film is no positive and not used.
        features: (N, 2, D).
        pixels: (N, S, S).
    """

    wanted: Sequence[Wanted]
    seen: NDArray[np.bool_]
    features: NDArray[np.float32]
    pixels: NDArray[np.uint8]

    def of(self, *concepts: str, severity: str | None = None) -> NDArray[np.bool_]:
        """Films that show one of these, at a severity."""
        return self.seen & np.array(
            [
                w.findings[0][0] in concepts and severity in (None, w.findings[0][2])
                for w in self.wanted
            ]
        )

    @property
    def patients(self) -> NDArray[np.int64]:
        """Seed of each."""
        return np.array([w.seed for w in self.wanted])


def load(
    wanted: Sequence[Wanted], size: int, work: Path, name: str, workers: int, patch: int = 0
) -> Films:
    """Render, look."""
    made = make(wanted, size, work / "films", workers, patch=patch)
    seen = np.array([w.findings[0][0] in s for w, s in zip(wanted, made.shown, strict=True)])
    key = f"{name}-both-{size}-{patch}-{len(wanted)}-{int(made.films.astype(np.int64).sum())}.npy"
    return Films(wanted, seen, features(made.films, work / key), made.films)


def auroc(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], patients: NDArray[np.int64]
) -> dict[str, float]:
    """With its interval, by patient."""
    resamples = Resamples([int(p) for p in patients], SAMPLES)
    ranking = Ranking(truth, scores, resamples.members)
    [drawn] = resamples.draw([ranking.auroc])
    value = ranking.auroc(np.ones((resamples.units, 1)))[0]
    return {
        "auroc": float(value),
        **interval(drawn)._asdict(),
        "positives": int(truth.sum()),
        "others": int((~truth).sum()),
    }


def scores_of(train: Films, test: Films) -> dict[str, NDArray[np.float64]]:
    """Each asked finding against all others: log odds of every test film."""
    found = {}
    for concept in ASKED:
        truth = train.of(concept)[train.seen]
        found[concept] = Reader.of(train.features[train.seen], truth).scores(test.features)
    return found


def readable(test: Films, scores: Mapping[str, NDArray[np.float64]]) -> list[dict[str, Any]]:
    """A finding at its severity against films with other findings."""
    rows = []
    for name, (concept, severity) in BARS.items():
        positive = test.of(concept, severity=severity)
        used = positive | (test.seen & ~test.of(concept))
        row = auroc(positive[used], scores[concept][used], test.patients[used])
        rows.append({"finding": name, **row, "bar": READABLE})
    return rows


def alike(
    train: Films, test: Films, pairs: Sequence[tuple[str, str]] = ALIKE
) -> list[dict[str, Any]]:
    """Two findings told apart, all severities, by a reader that knows only these."""
    rows = []
    for first, second in pairs:
        learn, asked = train.of(first, second), test.of(first, second)
        scores = Reader.of(train.features[learn], train.of(first)[learn]).scores(
            test.features[asked]
        )
        row = auroc(test.of(first)[asked], scores, test.patients[asked])
        rows.append({"pair": f"{first} / {second}", **row, "bar": APART})
    return rows


def small(
    train: Films, test: Films, patients: int, size: int, work: Path, workers: int
) -> list[dict[str, Any]]:
    """The pairs of small things: the plain reader, on patches, by a detector."""
    rows = []
    empty = train.pixels[train.seen & ~train.of(*itertools.chain(*SMALL))][:EMPTY_FILMS]
    for pair in SMALL:
        learnt = [
            one(
                concept,
                SEVERITIES[place % 3],
                derive_seed(concept, "patch", place) % 10**9,
                "train",
            )
            for concept in pair
            for place in range(SMALL_FILMS)
        ]
        asked = [w for w in testing(patients) if w.findings[0][0] in pair]
        patches = load(mixed(learnt), size, work, "patch-train", workers, PATCH)
        places = load(asked, size, work, "patch-test", workers, PATCH)
        plain, where = (alike(*films, [pair])[0] for films in ((train, test), (patches, places)))
        name = plain["pair"]
        rows.append({**plain, "pair": f"{name} (plain reader, whole film)", "bar": None})
        rows.append({**where, "pair": f"{name} (shown where)"})
        rows.append({**found(patches, empty, test, pair), "pair": f"{name} (found in whole film)"})
    return rows


def found(
    patches: Films, empty: NDArray[np.uint8], test: Films, pair: tuple[str, str]
) -> dict[str, Any]:
    """Whole films of two small findings told apart by a detector."""
    first = patches.of(pair[0])[patches.seen]
    detector = Detector.of(patches.pixels[patches.seen], first, empty)
    asked = test.of(*pair)
    scores = detector.scores(test.pixels[asked])
    return {**auroc(test.of(pair[0])[asked], scores, test.patients[asked]), "bar": APART}


def steps(test: Films, scores: Mapping[str, NDArray[np.float64]]) -> list[dict[str, Any]]:
    """Mean score by severity, and each step's rise in patients that show both."""
    rows = []
    for concept in ASKED:
        if len(severities(concept)) == 1:
            continue
        by_patient: dict[int, dict[str, float]] = {}
        for place in np.flatnonzero(test.of(concept)):
            wanted = test.wanted[place]
            by_patient.setdefault(wanted.seed, {})[wanted.findings[0][2]] = scores[concept][place]
        row: dict[str, Any] = {"finding": concept}
        for severity in SEVERITIES:
            values = [v[severity] for v in by_patient.values() if severity in v]
            row[severity] = float(np.mean(values)) if values else float("nan")
        for low, high in itertools.pairwise(SEVERITIES):
            rises = [v[high] - v[low] for v in by_patient.values() if {low, high} <= set(v)]
            row[f"{low} to {high}"] = rise(np.array(rises))
        rows.append(row)
    return rows


def rise(values: NDArray[np.float64]) -> dict[str, float]:
    """Mean with its interval."""
    if not len(values):
        return {"mean": float("nan"), "low": float("nan"), "high": float("nan"), "patients": 0}
    drawn = np.random.default_rng(0).integers(len(values), size=(SAMPLES, len(values)))
    low, high = interval(values[drawn].mean(1))
    return {"mean": float(values.mean()), "low": low, "high": high, "patients": len(values)}


def show(figures: Mapping[str, Any], console: Console) -> None:
    """The tables."""
    for key, name in (("readable", "finding"), ("alike", "pair")):
        table = Table(name, "AUROC", "95 % interval", "bar", "films", "others")
        for row in figures[key]:
            bar = row["bar"]
            colour = "" if bar is None or row["auroc"] >= bar else "[red]"
            table.add_row(
                row[name],
                f"{colour}{row['auroc']:.3f}",
                f"{row['low']:.3f} – {row['high']:.3f}",
                "" if bar is None else f"{bar:.2f}",
                str(row["positives"]),
                str(row["others"]),
            )
        console.print(table)
    table = Table("score", *SEVERITIES, "first step", "second step", "patients")
    for row in figures["steps"]:
        rises = [row[f"{low} to {high}"] for low, high in itertools.pairwise(SEVERITIES)]
        table.add_row(
            row["finding"],
            *(f"{row[severity]:+.2f}" for severity in SEVERITIES),
            *(
                f"{'' if r['mean'] > 0 else '[red]'}{r['mean']:+.2f} "
                f"[{r['low']:+.2f}, {r['high']:+.2f}]"
                for r in rises
            ),
            str(rises[0]["patients"]),
        )
    console.print(table)
    console.print(figures["note"])


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=600, help="films to learn from")
    parser.add_argument("--patients", type=int, default=10, help="a finding, to be asked about")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark-readable"))
    parser.add_argument("--json", metavar="FILE", help='"-" = stdout')
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    train, test = (
        load(wanted, arguments.size, arguments.work, name, arguments.workers)
        for name, wanted in (
            ("train", training(arguments.train)),
            ("test", testing(arguments.patients)),
        )
    )
    scores = scores_of(train, test)
    figures = {
        "note": "one source CT; learnt on train patients, asked on held-out ones",
        "training_films": int(train.seen.sum()),
        "test_films": int(test.seen.sum()),
        "not_visible": int((~test.seen).sum()),
        "readable": readable(test, scores),
        "alike": alike(train, test)
        + small(train, test, arguments.patients, arguments.size, arguments.work, arguments.workers),
        "steps": steps(test, scores),
    }
    show(figures, Console(stderr=arguments.json == "-", width=110))
    if arguments.json:
        write_json(figures, Path(arguments.json))


if __name__ == "__main__":
    main()
