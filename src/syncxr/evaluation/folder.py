"""Zero-shot scores on a folder of real films with a table of labels, raw and by stricter rules.

The rules, and why: abnormal films of a hospital differ from its normal ones in exposure, view and
equipment, so a score over all films can be had without seeing any disease. A score counts when
films are histogram-equalised, when it is taken within the abnormal films or against normal ones of
the same view and brightness, and when the score of brightness alone stands beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from syncxr.corpora.films import read_film
from syncxr.errors import SyncxrError
from syncxr.evaluation.grounding import Case, PointingTable, pointing_game
from syncxr.evaluation.prompts import load_prompts
from syncxr.evaluation.tables import Column, ScoreTable, score_table
from syncxr.evaluation.zero_shot import Model, zero_shot_scores
from syncxr.pretraining.preprocessing import equalise
from syncxr.pretraining.prompt import Prompt
from syncxr.sample import Image, Mask

LEAST_POSITIVES = 10
"""Findings with fewer get an interval and stay out of means."""


@dataclass(frozen=True)
class LabelledFilm:
    """One row of the table.

    Attributes:
        name: File, as the table names it.
        image: The film.
        labels: Findings it is said to show; empty = normal.
        unit: Patient, or the file where no patient is named.
        view: Projection, ``""`` where the table does not say.
        boxes: Finding to its filled boxes.
    """

    name: str
    image: Image
    labels: frozenset[str]
    unit: str
    view: str
    boxes: Mapping[str, Mask]


@dataclass(frozen=True)
class LabelledFolder:
    """A test set of the user's own.

    Attributes:
        name: What it is called in the tables.
        films: Its films.
        by_patient: Whether ``LabelledFilm.unit`` names patients.
    """

    name: str
    films: tuple[LabelledFilm, ...]
    by_patient: bool


@dataclass(frozen=True)
class FolderResult:
    """What was scored.

    Attributes:
        tables: ``raw``, ``within abnormal``, ``stratified``, each with ``… (brightness)``.
        grounding: Pointing game on boxes; None where no film has one.
    """

    tables: dict[str, ScoreTable]
    grounding: PointingTable | None

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "tables": {name: table.to_dict() for name, table in self.tables.items()},
            "grounding": self.grounding.to_dict() if self.grounding else None,
        }

    def to_rich(self) -> list[Table]:
        """All tables, for the screen."""
        grounding = [self.grounding.to_rich()] if self.grounding else []
        return [table.to_rich() for table in self.tables.values()] + grounding


def read_folder(images: Path, labels: Path) -> LabelledFolder:
    """Read a table with the columns ``file`` (or ``image``) and ``labels``, and its films.

    Labels are separated by ``|``; ``No Finding`` is a normal film. Used where there: ``patient``,
    ``view`` and ``bbox`` (``Label:x,y,w,h;…`` in pixels of the file).

    Args:
        images: Folder that the file names are relative to.
        labels: The table.

    Raises:
        SyncxrError: A column is missing, a label or box is not understood, a film does not open.
    """
    films, patients = [], 0
    for number, row in _rows(labels):
        where = f"{labels}, row {number}"
        file = row.get("file") or row.get("image") or ""
        image = read_film(images / file, where)
        patient = (row.get("patient") or "").strip()
        patients += bool(patient)
        films.append(
            LabelledFilm(
                name=file,
                image=image,
                labels=frozenset(_findings(row["labels"] or "", where)),
                unit=f"patient {patient}" if patient else file,
                view=row.get("view") or "",
                boxes=_boxes(row.get("bbox") or "", image.shape, where),
            )
        )
    if not films:
        raise SyncxrError(f"{labels} has no rows; nothing to evaluate")
    return LabelledFolder(images.name, tuple(films), by_patient=patients == len(films))


def evaluate(
    model: Model,
    folder: LabelledFolder,
    *,
    prompt_set: str = "pair",
    samples: int = 1000,
    seed: int = 0,
) -> FolderResult:
    """Score every label that any film carries, raw and by the rules of this module.

    Raises:
        SyncxrError: Unknown prompt set.
    """
    films = folder.films
    findings = sorted({label for film in films for label in film.labels})
    prompts = load_prompts().prompts(prompt_set, findings)
    flat = [equalise(film.image) for film in films]
    dark = np.array([brightness_score(film.image) for film in films])
    dark_flat = np.array([brightness_score(image) for image in flat])
    model_raw = zero_shot_scores(model, [film.image for film in films], prompts)
    model_flat = zero_shot_scores(model, flat, prompts)
    everywhere = np.ones(len(films), bool)
    abnormal = np.array([bool(film.labels) for film in films])
    strata = _strata(films, dark)
    tables = {}

    def add(name: str, title: str, scores: NDArray[Any], columns: Sequence[Column]) -> None:
        baseline = scores.ndim == 1
        tables[f"{name} (brightness)" if baseline else name] = score_table(
            f"{'Brightness alone' if baseline else 'Zero-shot classification'}, {title}",
            columns,
            test_set=folder.name,
            prompt_set="" if baseline else prompt_set,
            units="patients" if folder.by_patient else "films resampled",
            probabilities=not baseline,
            least_positives=LEAST_POSITIVES,
            samples=samples,
            seed=seed,
        )

    for scores in (model_raw, dark):
        columns = [_column(films, f, scores, k, everywhere) for k, f in enumerate(findings)]
        add("raw", "raw: proves little", scores, columns)
    for scores in (model_flat, dark_flat):
        columns = [_column(films, f, scores, k, abnormal) for k, f in enumerate(findings)]
        add("within abnormal", "equalised, within the abnormal films", scores, columns)
    for scores in (model_flat, dark_flat):
        columns = [
            _column(films, f, scores, k, _has(films, f) | ~abnormal, strata)
            for k, f in enumerate(findings)
        ]
        title = "equalised, against normal films of the same view and brightness quartile"
        add("stratified", title, scores, columns)
    return FolderResult(tables, _grounding(model, folder, prompts, samples, seed))


def brightness_score(image: Image) -> float:
    """Minus the mean grey of the two lateral thirds of a film: no model at all."""
    third = image.shape[1] // 3
    return -float(np.concatenate([image[:, :third], image[:, -third:]], axis=1).mean())


def _column(
    films: Sequence[LabelledFilm],
    finding: str,
    scores: NDArray[Any],
    place: int,
    kept: NDArray[np.bool_],
    strata: NDArray[np.int64] | None = None,
) -> Column:
    """One finding on the films of ``kept``; ``scores`` is (N, K) or, for a baseline, (N,)."""
    own = scores if scores.ndim == 1 else scores[:, place]
    return Column(
        finding,
        _has(films, finding)[kept],
        own[kept],
        [film.unit for film, keep in zip(films, kept, strict=True) if keep],
        None if strata is None else strata[kept],
    )


def _has(films: Sequence[LabelledFilm], finding: str) -> NDArray[np.bool_]:
    return np.array([finding in film.labels for film in films])


def _strata(films: Sequence[LabelledFilm], dark: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of each film's view × brightness quartile (quartiles of all films)."""
    quartile = np.searchsorted(np.quantile(dark, (0.25, 0.5, 0.75)), dark)
    views = sorted({film.view for film in films})
    return np.array(
        [4 * views.index(film.view) + int(q) for film, q in zip(films, quartile, strict=True)]
    )


def _grounding(
    model: Model,
    folder: LabelledFolder,
    prompts: Mapping[str, Prompt],
    samples: int,
    seed: int,
) -> PointingTable | None:
    cases = [
        Case(finding, prompts[finding].positive[0], film.image, mask)
        for film in folder.films
        for finding, mask in film.boxes.items()
        if finding in prompts
    ]
    if not cases:
        return None
    note = "Asked with the first affirming text of the prompt set; films as they are."
    return pointing_game(
        model, cases, test_set=folder.name, samples=samples, seed=seed, notes=(note,)
    )


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with their line numbers, after checking the header."""
    try:
        stream = table.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise SyncxrError(f"{table} cannot be read: {error.strerror}") from error
    with stream:
        try:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or ()
            if not {"file", "image"} & set(columns) or "labels" not in columns:
                raise SyncxrError(
                    f"{table} has the columns {', '.join(columns) or '(none)'}; "
                    "needed: file and labels"
                )
            for row in reader:
                yield reader.line_num, row
        except (UnicodeDecodeError, csv.Error) as error:
            raise SyncxrError(f"{table} is not a CSV in UTF-8 ({error}); save it as one") from error


def _findings(text: str, where: str) -> Iterator[str]:
    """Findings of one cell; a normal film has none."""
    book = load_prompts()
    for label in filter(None, (part.strip() for part in text.split("|"))):
        finding = book.finding(label)
        if finding is None:
            raise SyncxrError(
                f"{where}: label {label!r} is unknown; known: {', '.join(book.findings)}, "
                "No Finding"
            )
        if finding:
            yield finding


def _boxes(text: str, shape: tuple[int, ...], where: str) -> dict[str, Mask]:
    """Filled boxes of one cell, several of a finding together."""
    masks: dict[str, Mask] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        label, _, numbers = part.partition(":")
        finding = load_prompts().finding(label)
        try:
            x, y, width, height = (float(number) for number in numbers.split(","))
        except ValueError:
            finding = None
        if not finding:
            raise SyncxrError(f"{where}: box {part!r} is not Label:x,y,w,h; mend it")
        mask = masks.setdefault(finding, np.zeros(shape, bool))
        mask[
            max(0, round(y)) : max(0, round(y + height)),
            max(0, round(x)) : max(0, round(x + width)),
        ] = True
        if not mask.any():
            raise SyncxrError(f"{where}: box {part!r} lies outside the film {shape}; mend it")
    return masks
