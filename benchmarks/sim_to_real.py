"""Does a classifier that saw simulated films only read real ones?

    python benchmarks/sim_to_real.py FOLDER [--minutes 90] [--unet-minutes 20] [--size 128]
        [--films 12000] [--work DIR] [--json FILE]

FOLDER holds ``nih_talo`` (labels.csv and films) and ``openist_lung`` (films and lung masks). Films
are simulated once (timed apart, kept under --work), an ImageNet EfficientNet-Lite0 is trained on
them for --minutes, a U-Net for --unet-minutes; both are kept, so that the same command only scores.

nih_talo, by the strict rules of ``syncxr.evaluation.zero_shot.strict``: films in the common look
(histogram equalisation), bootstrap by patient, within the abnormal films and against No Finding of
the same view and brightness quartile. Beside it: raw films, the mean grey of a film, and a
photometric baseline (sharpness, noise, mean, deviation, age, view) that *is* trained on the labels,
in five folds by patient. "Any abnormality" is derived from the findings' scores. One source CT.

Two samples: how well frozen ImageNet features tell real from simulated films (AUROC, five folds),
and a picture of both clouds under --work. Nothing here is trained on real films but these two
measures, and nothing real is kept but figures, features' picture and scores under --work.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pictures
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import simulated_training
from simulated_films import Made, Wanted, code_digest, make, real
from simulated_training import (
    Classifier,
    abnormality,
    predict,
    started,
    tensor,
    train_classifier,
    train_unet,
)
from syncxr.evaluation.finetuning.unet import UNet
from syncxr.evaluation.metrics.bootstrap import interval
from syncxr.evaluation.metrics.masks import overlaps
from syncxr.evaluation.scoring.predictions import Predictions, labels_of
from syncxr.evaluation.scoring.results import MEAN, Result
from syncxr.evaluation.scoring.sheet import About
from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.zero_shot.strict import (
    BRIGHTNESS,
    LEAST_POSITIVES,
    RAW,
    STRATIFIED,
    WITHIN_ABNORMAL,
    grey_scores,
    score_strictly,
)
from syncxr.images.look import equalise
from syncxr.images.visibility import noise_level
from syncxr.sample import Image
from syncxr.views.console import write_json

CONCEPTS: dict[str, tuple[str, ...]] = {
    "atelectasis": ("atelectasis", "lobar collapse"),
    "cardiomegaly": ("cardiomegaly",),
    "consolidation": ("consolidation",),
    "edema": ("pulmonary edema",),
    "emphysema": ("emphysema", "chronic obstructive pulmonary disease", "hyperinflation"),
    "fibrosis": ("pulmonary fibrosis", "scarring", "fibronodular change"),
    "infiltrate": ("infiltrate", "opacity", "airspace disease", "interstitial opacity"),
    "mass": ("mass", "masslike opacity"),
    "nodule": ("nodule", "granuloma", "calcified nodule"),
    "pleural effusion": ("pleural effusion", "loculated effusion", "costophrenic angle blunting"),
    "pleural thickening": ("pleural thickening", "pleural scarring", "pleural plaque"),
    "pneumonia": ("pneumonia",),
    "pneumothorax": ("pneumothorax", "hydropneumothorax"),
}
"""Label of the test set to the concepts that count as it; a concept counts as one label only, but
for those of :data:`BOTH`."""

BOTH = {"hydropneumothorax": "pleural effusion"}
"""Concept to a second label that it shows by its definition."""

ASIDE = (
    "endotracheal tube",
    "nasogastric tube",
    "central venous catheter",
    "pacemaker",
    "sternotomy wires",
    "ecg leads",
    "degenerative changes",
    "scoliosis",
    "aortic tortuosity",
    "aortic calcification",
    "surgical clips",
    "low lung volumes",
)
"""What normal and abnormal films alike may carry: no label, and no sign of one."""

CHIEF = ("edema", "pleural effusion", "atelectasis", "infiltrate", "consolidation")
"""Labels of the first bar, drawn twice as often as others."""

BOUNDED = ("edema", "pleural effusion")
"""Of them, those whose lower bound must be above chance."""

ANY = "any abnormality"

Scores = tuple[NDArray[Any], NDArray[Any]]
"""Of the findings, (N, K), and of any, (N,)."""

BARS = {"chief": 0.58, "stratified": 0.65, "dice": 0.90}

NORMAL_SHARE, PAIRED_SHARE, ASIDE_SHARE = 0.3, 0.25, 0.35
"""Of the films: normal ones; those made again without one finding; those with something aside."""

LUNG_FILMS = 2000


def plan(count: int, seed: int = 0) -> list[Wanted]:
    """Normal films, films with 1 to 3 findings, and the latter again without one of them."""
    rng = np.random.default_rng(seed)
    weights = np.array([2.0 if label in CHIEF else 1.0 for label in CONCEPTS])
    films: list[Wanted] = []
    while len(films) < count:
        number = (
            0 if rng.random() < NORMAL_SHARE else int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
        )
        labels = rng.choice(list(CONCEPTS), size=number, replace=False, p=weights / weights.sum())
        found = [(str(rng.choice(CONCEPTS[label])), "", _severity(rng)) for label in labels]
        aside = [(str(rng.choice(ASIDE)), "", "")] if rng.random() < ASIDE_SHARE else []
        films.append(Wanted((*found, *aside), len(films)))
        if found and rng.random() < PAIRED_SHARE / (1 - NORMAL_SHARE - PAIRED_SHARE):
            less = found[: int(rng.integers(len(found)))]
            films.append(Wanted((*less, *aside), films[-1].seed))
    return films[:count]


def _severity(rng: np.random.Generator) -> str:
    return str(rng.choice(["mild", "moderate", "severe"], p=[0.3, 0.4, 0.3]))


def labels_for(wanted: Sequence[Wanted], made: Made) -> NDArray[np.float32]:
    """1 for what a film shows, NaN for what it was to show and does not, else 0; (N, K)."""
    names = list(CONCEPTS)
    label_of = {c: label for label, concepts in CONCEPTS.items() for c in concepts}
    table = np.zeros((len(wanted), len(names)), np.float32)
    for row, one, shown in zip(table, wanted, made.shown, strict=True):
        asked = {concept for concept, _, _ in one.findings}
        for concepts, value in ((asked - shown, np.nan), (asked & shown, 1.0)):
            for concept in concepts:
                for label in (label_of.get(concept), BOTH.get(concept)):
                    if label:
                        row[names.index(label)] = value
    return table


def classifier(arguments: argparse.Namespace, work: Path) -> tuple[Classifier, dict[str, Any]]:
    """The trained classifier, or the one that is kept."""
    wanted = plan(arguments.films)
    start = time.monotonic()
    made = make(wanted, arguments.size, arguments.work / "films", arguments.workers)
    told: dict[str, Any] = {"films": len(wanted), "render_seconds": time.monotonic() - start}
    labels = labels_for(wanted, made)
    shares = np.nanmean(labels, 0)
    told["shares"] = dict(zip(CONCEPTS, shares.round(3).tolist(), strict=True))
    kept = work / f"classifier-{arguments.films}-{arguments.minutes:g}.pt"
    if kept.exists():
        model = Classifier(len(CONCEPTS))
        state = torch.load(kept, weights_only=True)
        model.load_state_dict(state["model"])
        return model.eval(), {**told, **state["done"]}
    model, done = train_classifier(made.films, labels, arguments.minutes)
    torch.save({"model": model.state_dict(), "done": done}, kept)
    return model, {**told, **done}


def unet(arguments: argparse.Namespace, work: Path) -> tuple[UNet, dict[str, Any]]:
    """The trained U-Net, or the one that is kept: normal films, some with a device."""
    rng = np.random.default_rng(1)
    count = min(LUNG_FILMS, arguments.films)
    wanted = [
        Wanted(
            ((str(rng.choice(ASIDE)), "", ""),) if rng.random() < ASIDE_SHARE else (), 10**6 + place
        )
        for place in range(count)
    ]
    start = time.monotonic()
    made = make(wanted, arguments.size, arguments.work / "films", arguments.workers, lungs=True)
    told: dict[str, Any] = {"films": count, "render_seconds": time.monotonic() - start}
    kept = work / f"unet-{count}-{arguments.unet_minutes:g}.pt"
    if kept.exists():
        model = UNet(started(), frozen=False)
        state = torch.load(kept, weights_only=True)
        model.load_state_dict(state["model"])
        return model.eval(), {**told, **state["done"]}
    model, done = train_unet(made.films, made.lungs, arguments.unet_minutes)
    torch.save({"model": model.state_dict(), "done": done}, kept)
    return model, {**told, **done}


def score_findings(
    model: Classifier, folder: Path, size: int
) -> tuple[dict[str, Any], list[Result]]:
    """The bars on nih_talo, and all rows behind them."""
    test = Folder(folder)
    films = [test.film(item) for item in test.items]
    greys = np.stack([grey_scores(film) for film in films])
    logits = {
        look: predict(model, np.stack([real(film, size, look) for film in films]))
        for look in (False, True)
    }
    names = [name for name in CONCEPTS if name in test.findings]
    columns = [list(CONCEPTS).index(name) for name in names]
    labels = labels_of(test, names)
    photometric = photometry(folder, films, labels, test.units)

    def rows(
        raw: NDArray[Any], flat: NDArray[Any], wanted: Sequence[str], who: str
    ) -> list[Result]:
        at = [[*names, ANY].index(name) for name in wanted]
        both = [_with_any(Predictions.of(test, names, s), s_any) for s, s_any in (raw, flat)]
        both = [
            replace(p, findings=tuple(wanted), labels=p.labels[:, at], scores=p.scores[:, at])
            for p in both
        ]
        scored = score_strictly(*both, greys, test, About("sim to real", who))
        return [row for table in scored for row in table.results]

    own = [(logits[look][:, columns], abnormality(logits[look])) for look in (False, True)]
    plain = (photometric[:, :-1], photometric[:, -1])
    found: list[Result] = []
    for wanted in ([*names, ANY], list(CHIEF)):
        found += rows(*own, wanted, "simulated films only")
        found += [r for r in rows(plain, plain, wanted, PHOTOMETRIC) if r.model == PHOTOMETRIC]
    return _bars(found, names), found


PHOTOMETRIC = "photometry, trained on these labels"


def _with_any(predictions: Predictions, scores: NDArray[Any]) -> Predictions:
    """One finding more: whether a film has any label at all."""
    any_label = (predictions.labels == 1).any(1).astype(np.float64)
    return replace(
        predictions,
        findings=(*predictions.findings, ANY),
        labels=np.column_stack([predictions.labels, any_label]),
        scores=np.column_stack([predictions.scores, scores]),
    )


def photometry(
    folder: Path, films: Sequence[Image], labels: NDArray[np.float64], units: Sequence[str]
) -> NDArray[np.float64]:
    """What six trivial numbers say of each finding and of any, in five folds by patient."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    numbers = []
    for film, row in zip(films, table, strict=True):
        sharp = np.abs(np.diff(film.astype(np.float32), axis=1)).mean()
        age = float(row["age"]) if row.get("age", "").isdigit() else 45.0
        view = float(row.get("view") == "AP")
        numbers.append([sharp, noise_level(film), film.mean(), film.std(), age, view])
    wanted = np.column_stack([labels == 1, (labels == 1).any(1)])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    scores = np.zeros(wanted.shape)
    for column, truth in enumerate(wanted.T):
        if truth.sum() >= 5:
            scores[:, column] = cross_val_predict(
                model,
                np.array(numbers),
                truth,
                groups=list(units),
                cv=GroupKFold(5),
                method="predict_proba",
            )[:, 1]
    return scores


def _bars(rows: Sequence[Result], names: Sequence[str]) -> dict[str, Any]:
    """Which bars are reached, from the rows."""
    own = [row for row in rows if row.model == "simulated films only" and row.metric == "AUROC"]

    def find(protocol: str, finding: str) -> Result:
        # The chief findings are scored last: theirs is the last mean.
        return [row for row in own if row.protocol == protocol and row.finding == finding][-1]

    chief, any_one = find(WITHIN_ABNORMAL, MEAN), find(STRATIFIED, ANY)
    against = [
        name
        for name in names
        if find(WITHIN_ABNORMAL, name).positives >= LEAST_POSITIVES
        and find(WITHIN_ABNORMAL, name).high < 0.5
    ]
    lower = {name: find(WITHIN_ABNORMAL, name).low for name in BOUNDED}
    return {
        "within the abnormal films, mean of five": {
            "value": chief.value,
            "low": chief.low,
            "high": chief.high,
            "bar": BARS["chief"],
            "reached": chief.value >= BARS["chief"],
        },
        "lower bounds above .50": {**lower, "reached": min(lower.values()) > 0.5},
        "any abnormality against No Finding, in strata": {
            "value": any_one.value,
            "low": any_one.low,
            "high": any_one.high,
            "bar": BARS["stratified"],
            "reached": any_one.value >= BARS["stratified"],
        },
        "findings below chance": {"names": against, "reached": not against},
    }


def score_lungs(model: UNet, folder: Path, size: int) -> dict[str, Any]:
    """Dice on hand-drawn lung fields, at the size of the drawings."""
    test = Folder(folder)
    dice = []
    for item in test.items:
        film, mask = test.film(item), test.mask(item, "mask")
        assert mask is not None, "every film has a mask"
        small = Pictures.fromarray(film).resize((size, size), Pictures.Resampling.BILINEAR)
        logits = predict(model, equalise(np.asarray(small))[None])[0, 0]
        large = Pictures.fromarray(logits).resize(mask.shape[::-1], Pictures.Resampling.BILINEAR)
        called = np.asarray(large) > 0
        areas = (np.array(float(a.sum())) for a in (called & mask, called, mask))
        dice.append(float(overlaps(*areas)[1]))
    values = np.array(dice)
    drawn = np.random.default_rng(0).integers(len(values), size=(1000, len(values)))
    low, high = interval(values[drawn].mean(1))
    return {
        "films": len(values),
        "dice": float(values.mean()),
        "low": low,
        "high": high,
        "worst": float(values.min()),
        "bar": BARS["dice"],
        "reached": bool(values.mean() >= BARS["dice"]),
    }


def two_samples(folder: Path, size: int, work: Path, arguments: argparse.Namespace) -> float:
    """AUROC with which frozen features tell real normal films from simulated ones; a picture."""
    test = Folder(folder)
    normal = [item for item in test.items if not any(v == 1 for v in item.labels.values())]
    theirs = np.stack([real(test.film(item), size) for item in normal])
    wanted = [Wanted((), 2 * 10**6 + place) for place in range(min(len(theirs), arguments.films))]
    ours = make(wanted, size, arguments.work / "films", arguments.workers).films
    encoder = started().eval()
    rows = []
    films = np.concatenate([theirs, ours])
    for start in range(0, len(films), 32):
        with torch.inference_mode():
            rows.append(encoder(tensor(films[start : start + 32])).pooled.numpy())
    features = np.concatenate(rows)
    truth = np.arange(len(features)) < len(theirs)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=300))
    patients = [item.patient or item.id for item in normal] + [f"s{i}" for i in range(len(ours))]
    scores = cross_val_predict(
        model, features, truth, groups=patients, cv=GroupKFold(5), method="decision_function"
    )
    _draw(features, truth, work / "two-samples.png")
    return float(roc_auc_score(truth, scores))


def _draw(features: NDArray[np.float32], truth: NDArray[np.bool_], path: Path) -> None:
    from matplotlib.figure import Figure

    places = PCA(2).fit_transform(StandardScaler().fit_transform(features))
    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    for mask, name in ((truth, "real, no finding"), (~truth, "simulated, normal")):
        axes.scatter(*places[mask].T, s=6, label=name)
    axes.legend()
    figure.savefig(path, dpi=120)


def show(figures: Mapping[str, Any], rows: Sequence[Result], console: Console) -> None:
    """The tables."""
    for protocol in (WITHIN_ABNORMAL, STRATIFIED, RAW):
        table = Table(title=protocol)
        for name in ("finding", "positives", "simulated films only", BRIGHTNESS, PHOTOMETRIC):
            table.add_column(name)
        for finding in dict.fromkeys(row.finding for row in rows):
            cells = [_cell(rows, protocol, finding, who) for who in table_models(rows)]
            if any(cells):
                count = [r.positives for r in rows if r.finding == finding and r.metric == "AUROC"]
                name = "mean of all" if finding == MEAN else finding
                table.add_row(name, str(count[0]), *cells)
        mean_of_five = [_cell(rows, protocol, MEAN, who, last=True) for who in table_models(rows)]
        table.add_row("mean of five", "", *mean_of_five)
        console.print(table)
    for name in ("bars", "lungs", "real_or_simulated_auroc", "classifier", "unet"):
        if name in figures:
            console.print(name, figures[name])
    console.print(figures["note"])


def table_models(rows: Sequence[Result]) -> tuple[str, str, str]:
    """Columns of the table."""
    return "simulated films only", BRIGHTNESS, PHOTOMETRIC


def _cell(rows: Sequence[Result], protocol: str, finding: str, who: str, last: bool = False) -> str:
    found = [
        row
        for row in rows
        if (row.protocol, row.finding, row.model, row.metric) == (protocol, finding, who, "AUROC")
    ]
    if not found:
        return ""
    row = found[-1 if last else 0]
    return "" if np.isnan(row.value) else f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"


def main() -> None:
    """Parse, train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--unet-minutes", type=float, default=20.0)
    parser.add_argument("--size", type=int, default=128, choices=(96, 128, 160, 192, 224))
    parser.add_argument("--films", type=int, default=12000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2, help="of training")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark-sim-to-real"))
    parser.add_argument("--json", metavar="FILE", help='"-" = stdout')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    work = arguments.work / f"{code_digest()}-{_recipe()}-{arguments.size}"
    work.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {"note": "one source CT; trained on simulated films only"}
    model, figures["classifier"] = classifier(arguments, work)
    figures["bars"], rows = score_findings(model, arguments.folder / "nih_talo", arguments.size)
    figures["real_or_simulated_auroc"] = two_samples(
        arguments.folder / "nih_talo", arguments.size, work, arguments
    )
    if arguments.unet_minutes:
        net, figures["unet"] = unet(arguments, work)
        figures["lungs"] = score_lungs(net, arguments.folder / "openist_lung", arguments.size)
    show(figures, rows, Console(stderr=arguments.json == "-", width=130))
    figures["rows"] = [
        {
            key: getattr(row, key)
            for key in (
                "model",
                "protocol",
                "finding",
                "metric",
                "value",
                "low",
                "high",
                "positives",
            )
        }
        for row in rows
    ]
    if arguments.json:
        write_json(figures, Path(arguments.json))


def _recipe() -> str:
    """Hash of what decides a training beside the simulator: other recipes are kept apart."""
    text = repr((CONCEPTS, BOTH, plan(200))) + Path(simulated_training.__file__).read_text("utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:8]


if __name__ == "__main__":
    main()
