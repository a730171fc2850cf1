"""The HTML report of a run: one file, nothing fetched, made to be sent to a colleague."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from syncxr.dataset.files import write_text
from syncxr.entities.bank import surface
from syncxr.sample import Polarity, Sample
from syncxr.views.charts import Series, interval_bar, line_chart
from syncxr.views.pictures import data_uri, outline
from syncxr.views.report_data import Distribution, ReportData, load

_TEMPLATES = Path(__file__).parent / "templates"
_MASK_STYLES = 6
"""Colours and dashes of mask outlines in the style sheet; further masks begin again."""
_REASONS = {
    "chest": "not a chest film",
    "human": "not human",
    "frontal": "not frontal",
    "quality": "poor quality",
    "artefact_free": "artefacts",
    "fidelity": "poor fidelity",
    "similar_to_bad": "similar to a known-bad film",
    "finding_not_shown": "a stated finding is not in the film",
}


def write_report(run: Path, out: Path) -> None:
    """Write the page of a run folder.

    Args:
        run: Folder with ``summary.json`` and, as far as they were made, ``bank.parquet``,
            ``plan.parquet``, ``dataset/``, ``rejected/`` and ``checkpoint/history.jsonl``.
        out: The HTML file.

    Raises:
        SyncxrError: No finished run, or a damaged file in it.
    """
    write_text(out, render(load(run)))


def render(data: ReportData) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        share=_share, score=_score, number=_number, reason=_reason, words=_words
    )
    return environment.get_template("report.html.j2").render(
        data=data,
        style=Markup((_TEMPLATES / "report.css").read_text("utf-8")),
        script=Markup((_TEMPLATES / "report.js").read_text("utf-8")),
        tiles=_tiles(data),
        distributions=[(d, _distribution_chart(d)) for d in data.distributions],
        gallery=[_card(sample) for sample in data.gallery],
        filters=_filters(data),
        rejected=[(entry, _card(entry.sample)) for entry in data.rejected],
        curves=_curves(data),
        interval=interval_bar,
    )


def _tiles(data: ReportData) -> list[tuple[str, str, str]]:
    """Head figures: value, what it is, on what."""
    tiles = []
    if data.funnel:
        planned, passed = data.funnel[0].count, data.funnel[-1].count
        tiles.append((f"{passed:,}", "pairs", f"of {planned:,} planned"))
    if data.faithfulness:
        for key, label in (("positives", "stated findings visible"), ("negatives", "denials hold")):
            rate = data.faithfulness[key]
            tiles.append((_share(rate["share"]), label, f"{rate['hits']:,} of {rate['n']:,}"))
    for table in data.scores[:1]:
        about = f"{_score(table['low'])} – {_score(table['high'])} (95 %)"
        tiles.append((_score(table["mean"]), "mean zero-shot AUROC", about))
    for figures in [d.balance for d in data.distributions[:1]]:
        about = f"Gini {figures['real_gini']:.2f} in the corpus"
        tiles.append((f"{figures['planned_gini']:.2f}", "Gini of entity use", about))
    return tiles


def _distribution_chart(distribution: Distribution) -> Markup:
    series = [
        Series(name, [(rank, 100 * count / total) for rank, (_, count) in enumerate(rows, start=1)])
        for name, rows in (("planned", distribution.planned), ("real", distribution.real))
        if (total := sum(count for _, count in rows))
    ]
    if len(series) == 1:
        # The corpus keeps its colour where the plan draws nothing.
        series.insert(0, Series("planned", []))
    return line_chart(
        series,
        x_label="rank of the entity",
        y_label="share of mentions, %",
        description=f"{distribution.category}: share of mentions by rank, corpus and plan",
        log=True,
    )


def _curves(data: ReportData) -> list[tuple[str, list[str], Markup]]:
    """Title, names of the series, chart."""
    found = []
    for title, y_label, names in (
        ("Loss", "loss", {"train_loss": "training", "validation_loss": "validation"}),
        ("Retrieval, film to text", "recall", {"R@1": "R@1", "R@5": "R@5", "R@10": "R@10"}),
    ):
        series = [
            Series(label, [(row["epoch"], row[key]) for row in rows])
            for key, label in names.items()
            if (rows := [row for row in data.history if row.get(key) is not None])
        ]
        if series:
            chart = line_chart(
                series,
                x_label="epoch",
                y_label=y_label,
                description=f"{title} over epochs",
                whole_x=True,
            )
            found.append((title, [s.name for s in series], chart))
    return found


def _filters(data: ReportData) -> list[str]:
    """Findings by which the gallery can be narrowed."""
    concepts = {concept for sample in data.gallery for concept in _concepts(sample)}
    return sorted(concepts - {"normal"}) + (["normal"] if "normal" in concepts else [])


def _concepts(sample: Sample) -> list[str]:
    shown = {e.concept for e in sample.entities if e.polarity is Polarity.PRESENT}
    return sorted(shown) or ["normal"]


def _card(sample: Sample) -> dict[str, Any]:
    """A sample as the template shows it."""
    height, width = sample.image.shape if sample.image is not None else (0, 0)
    names = {str(entity): surface(entity) for entity in sample.entities}
    masks = [
        {"name": names.get(name, name), "path": path, "style": 1 + index % _MASK_STYLES}
        for index, (name, mask) in enumerate(sorted(sample.masks.items()))
        if (path := outline(mask))
    ]
    return {
        "id": sample.id,
        "image": data_uri(sample.image) if sample.image is not None else "",
        "width": width,
        "height": height,
        "masks": masks,
        "findings": sample.findings,
        "impression": sample.impression,
        "concepts": _concepts(sample),
    }


# ---------------------------------------------------------------- filters of the template


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f} %"


def _score(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"


def _number(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _reason(name: str) -> str:
    return _REASONS.get(name, name)


def _words(name: str) -> str:
    return name.replace("_", " ")
