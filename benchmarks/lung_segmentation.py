"""Does the pre-trained image tower help to segment lungs on real films?

    python benchmarks/lung_segmentation.py FOLDER --checkpoint CHECKPOINT [--films 8 --films 85]
        [--encoder full --encoder frozen] [--minutes M] [--work DIR] [--json FILE]

FOLDER holds labels.csv with the columns file and mask, and the films and masks it names. Five
folds by image: each film is scored once, by U-Nets that never saw it. A U-Net is trained from
three starts that differ in nothing else: the checkpoint's tower, the ImageNet weights that
pre-training began with, and random weights; on all training films of the fold and on a few of
them. The same ten validation films choose the epoch for all. Films
are scored at the checkpoint's size. Dice per film, mean over films, 95 % interval of 1,000
bootstrap samples of films; differences are paired by film.

Done cells are kept under --work; with --minutes the run ends after the first cell that is late,
and the same command goes on.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from syncxr.corpora.films import read_film
from syncxr.dataset.files import write_text
from syncxr.evaluation.films.decoded import Masks
from syncxr.evaluation.finetuning.options import SegmentationOptions
from syncxr.evaluation.finetuning.segmentation import Segmented, fit_segmentation
from syncxr.evaluation.metrics.bootstrap import interval, p_value
from syncxr.pretraining.checkpoint import describe, load
from syncxr.pretraining.encoders.image import ImageEncoder, build_image_encoder
from syncxr.pretraining.options import ImageEncoderOptions
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.sample import derive_seed
from syncxr.views.console import write_json

FOLDS = 5
VALIDATION = 10
"""Films that choose the epoch; more would cost more than they tell."""

STARTS = ("pre-trained", "ImageNet", "random")


def read(folder: Path, preprocessing: Preprocessing) -> tuple[list[str], NDArray[Any], Masks]:
    """Names, films and masks at evaluation size."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["mask"]]
    films = preprocessing.stack(read_film(folder / row["file"]) for row in rows)
    plain = Preprocessing(size=preprocessing.size)
    drawn = plain.stack(read_film(folder / row["mask"]) for row in rows) > 127
    masks = Masks(np.packbits(drawn, axis=2), np.ones(len(rows), bool), preprocessing.size)
    return [row["file"] for row in rows], films, masks


def starts(checkpoint: Path) -> dict[str, ImageEncoder]:
    """The same tower three times, with other tensors."""
    pretrained = load(checkpoint).image_encoder
    begun = ImageEncoderOptions(**describe(checkpoint).record["identity"]["image_encoder"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("lungs", "random start", 0))
        random = ImageEncoder(pretrained.name)
    found = {"pre-trained": pretrained, "ImageNet": build_image_encoder(begun)[0], "random": random}
    return found if begun.weights else {k: found[k] for k in ("pre-trained", "random")}


def cell(
    encoder: ImageEncoder,
    films: NDArray[Any],
    masks: Masks,
    fold: int,
    few: int,
    options: SegmentationOptions,
) -> dict[str, Any]:
    """Dice of the films of one fold."""
    order = np.random.default_rng(derive_seed("lungs", "folds", 0)).permutation(len(films))
    parts = np.array_split(order, FOLDS)
    rest = np.concatenate([part for place, part in enumerate(parts) if place != fold])
    rest = np.random.default_rng(derive_seed("lungs", "validation", fold)).permutation(rest)
    cut = min(len(rest) // 5, VALIDATION)
    validation, training = rest[:cut], rest[cut : cut + few]
    train, held_out, test = (
        Segmented(films, masks, r) for r in (training, validation, parts[fold])
    )
    net = fit_segmentation(encoder, train, held_out, options, seed=fold)
    return {
        "rows": parts[fold].tolist(),
        "dice": net.measure(test).dice.tolist(),
        "epoch": net.epoch,
        "epochs": len(net.history),
        "training_films": len(training),
        "validation_films": len(validation),
    }


def mean_interval(values: NDArray[Any], seed: int = 0) -> dict[str, float]:
    """Mean over films with its interval, and the p value of its being 0."""
    generator = np.random.default_rng(seed)
    drawn = values[generator.integers(len(values), size=(1000, len(values)))].mean(1)
    low, high = interval(drawn)
    return {"mean": float(values.mean()), "low": low, "high": high, "p": p_value(drawn)}


def scored(
    towers: dict[str, ImageEncoder],
    data: tuple[NDArray[Any], Masks],
    few: int,
    options: SegmentationOptions,
    work: Path,
    deadline: float,
) -> list[dict[str, Any]]:
    """One row a start, then one a difference from the random start."""
    rows, dice = [], {}
    for start, tower in towers.items():
        folds = []
        for fold in range(FOLDS):
            kept = work / f"{options.encoder}-{options.loss}-{few}-{start}-{fold}.json"
            if not kept.exists():
                if time.monotonic() > deadline:
                    sys.exit("out of time; the same command goes on")
                write_text(kept, json.dumps(cell(tower, *data, fold, few, options)))
            folds.append(json.loads(kept.read_text()))
        dice[start] = np.full(len(data[0]), np.nan)
        for fold in folds:
            dice[start][fold["rows"]] = fold["dice"]
        about = {
            "encoder": options.encoder,
            "training_films": folds[0]["training_films"],
            "validation_films": folds[0]["validation_films"],
        }
        epochs = float(np.mean([fold["epochs"] for fold in folds]))
        rows.append({**about, "start": start, **mean_interval(dice[start]), "epochs": epochs})
    pairs = [(start, "random") for start in list(towers)[:-1]]
    pairs += [STARTS[:2]] if set(STARTS) <= set(towers) else []
    for start, other in pairs:
        gain = mean_interval(dice[start] - dice[other])
        rows.append({**about, "start": f"{start} − {other}", **gain})
    return rows


def show(figures: dict[str, Any]) -> None:
    """The table."""
    table = Table(
        title=f"Lung segmentation, {figures['films']} films at {figures['size']} px, "
        f"{FOLDS} folds by image",
        caption="Dice per film; 95 % interval of 1,000 bootstrap samples of films",
    )
    for name in ("encoder", "training films", "start", "Dice", "95 % interval", "p", "epochs"):
        table.add_column(name)
    for row in figures["rows"]:
        difference = "−" in row["start"]
        table.add_row(
            row["encoder"],
            str(row["training_films"]),
            row["start"],
            f"{row['mean']:+.3f}" if difference else f"{row['mean']:.3f}",
            f"{row['low']:.3f} – {row['high']:.3f}",
            f"{row['p']:.3f}" if difference else "",
            "" if difference else f"{row['epochs']:.0f}",
            end_section=row["start"] == "random",
        )
    Console(width=120, stderr=True).print(table)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--films", type=int, action="append", help="training films a fold")
    parser.add_argument("--encoder", choices=("full", "frozen"), action="append")
    parser.add_argument("--start", choices=STARTS, action="append", help="random always is one")
    parser.add_argument("--loss", choices=("focal-dice", "dice-bce"), default="focal-dice")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--minutes", type=float, help="end before the first cell that is late")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark-lungs"))
    parser.add_argument("--json", type=Path, help="also write every figure; - for stdout")
    arguments = parser.parse_args()
    deadline = time.monotonic() + 60 * (arguments.minutes or 1e6)
    about = describe(arguments.checkpoint)
    wanted = {*(arguments.start or STARTS), "random"}
    towers = {k: tower for k, tower in starts(arguments.checkpoint).items() if k in wanted}
    names, films, masks = read(arguments.folder, about.preprocessing)
    work = arguments.work / f"{about.weights_sha256[:12]}-{arguments.epochs}"
    rows = []
    for few in arguments.films or (8, len(names)):
        for mode in arguments.encoder or ("full", "frozen"):
            options = SegmentationOptions(
                encoder=mode, loss=arguments.loss, epochs=arguments.epochs
            )
            rows += scored(towers, (films, masks), few, options, work, deadline)
    figures = {
        "films": len(names),
        "size": about.preprocessing.size,
        "checkpoint_sha256": about.weights_sha256,
        "loss": arguments.loss,
        "rows": rows,
    }
    show(figures)
    if arguments.json:
        write_json(figures, arguments.json)


if __name__ == "__main__":
    main()
