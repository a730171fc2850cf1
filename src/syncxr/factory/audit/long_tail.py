"""Picture of an entity bank: how few entities make up most of what reports say."""

from __future__ import annotations

from textwrap import shorten

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from syncxr.dataset.files import atomic
from syncxr.dataset.storage import StoragePath
from syncxr.entities.bank import Bank, surface
from syncxr.sample import Category

TOP = 50

_COLOURS = {
    Category.ABNORMALITY: "#b3412f",
    Category.NON_ABNORMALITY: "#d9906b",
    Category.DISEASE: "#5b3a8c",
    Category.NON_DISEASE: "#9d86c4",
    Category.ANATOMY: "#2f6f8f",
}
_INK = "#333333"


def draw_long_tail(bank: Bank, reports: int, path: StoragePath) -> None:
    """Draw, for each category, the :data:`TOP` entities and the full rank-frequency curve.

    Args:
        bank: Counts of the corpus.
        reports: Reports behind them, for the title.
        path: PNG to write.
    """
    categories = [category for category in Category if bank.counts(category)]
    figure = Figure(figsize=(4.6 * len(categories) + 0.6, 14.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(
        2, len(categories), squeeze=False, gridspec_kw={"height_ratios": [3.1, 1]}
    )
    for column, category in enumerate(categories):
        rows = [entry for entry in bank if entry.entity.category is category]
        counts = [entry.count for entry in rows]
        _draw_top(
            panels[0, column],
            [surface(entry.entity) for entry in rows[:TOP]],
            counts[:TOP],
            f"{category.value}\n{len(rows):,} entities, {sum(counts):,} mentions",
            _COLOURS[category],
        )
        _draw_tail(panels[1, column], bank, category)
    panels[1, 0].set_ylabel("mentions", color=_INK)
    figure.suptitle(
        f"What {reports:,} reports say: the {TOP} most frequent entities of each category (top) "
        "and all of them by rank (bottom)",
        fontsize=15,
        color=_INK,
    )
    with atomic(path) as partial:
        # Without the software's version the same bank gives the same bytes.
        figure.savefig(partial, format="png", metadata={"Software": None})


def _draw_top(axes: Axes, names: list[str], counts: list[int], title: str, colour: str) -> None:
    """Horizontal bars, the most frequent on top, each with its count."""
    places = range(len(names))
    axes.barh(places, counts, color=colour, height=0.72)
    axes.set_yticks(places, [shorten(name, 38, placeholder="…") for name in names], fontsize=8)
    axes.set_ylim(TOP - 0.4, -0.8)
    axes.set_xlim(0, max(counts) * 1.16)
    for place, count in zip(places, counts, strict=True):
        axes.text(
            count + max(counts) * 0.012, place, f"{count:,}", va="center", fontsize=7, color=_INK
        )
    axes.set_title(title, fontsize=11, color=_INK)
    axes.xaxis.set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=_INK)
    axes.spines[:].set_visible(False)


def _draw_tail(axes: Axes, bank: Bank, category: Category) -> None:
    """Mentions against rank, both logarithmic."""
    counts = sorted(bank.counts(category), reverse=True)
    ranks = np.arange(1, len(counts) + 1)
    axes.fill_between(ranks, counts, 0.8, color=_COLOURS[category], alpha=0.25, step="mid")
    axes.step(ranks, counts, where="mid", color=_COLOURS[category], linewidth=1.6)
    axes.set(xscale="log", yscale="log", xlim=(0.9, max(2, len(counts)) * 1.1))
    axes.set_ylim(0.8, max(counts) * 1.6)
    plain = FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain)
    axes.set_xlabel("rank", color=_INK)
    axes.text(
        0.97,
        0.95,
        f"entropy {bank.entropy(category):.2f} of {np.log2(len(counts)):.2f} bits\n"
        f"Gini {bank.gini(category):.3f}\n"
        f"{counts.count(1):,} occur once",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=9,
        color=_INK,
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, which="major", linewidth=0.4, alpha=0.5)
