"""A suite's results as files: JSON, Markdown, LaTeX, HTML."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from syncxr.dataset.files import write_text
from syncxr.evaluation.reporting.html import html
from syncxr.evaluation.reporting.layout import ResultTable, tables
from syncxr.evaluation.reporting.writers import latex, markdown, screen
from syncxr.evaluation.scoring.results import MEAN, Result, write_results
from syncxr.evaluation.suites.running import SuiteRun


@dataclass(frozen=True)
class SuiteReport:
    """A run with its tables.

    Attributes:
        about: What the suite measures.
        run: What came of it.
        tables: Main ones first.
        output: Where the files lie.
    """

    about: str
    run: SuiteRun
    tables: tuple[ResultTable, ...]
    output: Path

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "suite": self.about,
            "models": list(self.run.models),
            "cells": self.run.cells,
            "done_before": self.run.done_before,
            "not_compared": list(self.run.not_compared),
            "not_scored": list(self.run.not_scored),
            "notes": list(self.run.notes),
            "results": [row.to_dict() for row in self.run.results],
            "differences": [row.to_dict() for row in self.run.differences],
        }

    def to_rich(self) -> list[Group | Text]:
        """Main tables for the screen, findings of one set, and where the rest is."""
        one_set = len({row.test_set for row in self.run.results}) == 1
        chosen = [
            t for t in self.tables if t.main or (one_set and t.metric in ("AUROC", "pointing game"))
        ]
        shown: list[Group | Text] = [screen(table) for table in chosen]
        rest = len(self.tables) - len(chosen)
        end = f"{rest} more tables (other metrics, each finding) in {self.output}/results.html"
        return [*shown, Text("\n".join([*_comparisons(self.run), *_remarks(self.run), end]))]


def write_report(
    about: str, run: SuiteRun, published: Sequence[Result], output: Path
) -> SuiteReport:
    """Write ``results.json``, ``differences.json``, ``results.md``, ``.tex`` and ``.html``."""
    found = tuple(tables(run.results, run.models, published))
    title = f"Results: {about}"
    said = _remarks(run), _comparisons(run)
    write_results(run.results, output / "results.json")
    write_results(run.differences, output / "differences.json")
    write_text(output / "results.md", markdown(title, found, *said))
    write_text(output / "results.tex", latex(found))
    write_text(output / "results.html", html(title, found, *said))
    models = json.dumps({"suite": about, "models": list(run.models)}, indent=1)
    write_text(output / "suite.json", models + "\n")
    return SuiteReport(about, run, found, output)


def _remarks(run: SuiteRun) -> list[str]:
    """What is not in the tables."""
    found = [*run.notes, *_empty(run)]
    if run.not_scored:
        names = ", ".join(run.not_scored)
        found.append(f"Not scored, because no path was given: {names} (--data NAME=PATH).")
    return found


def _empty(run: SuiteRun) -> list[str]:
    """Why means have no number, once for the metrics and protocols of the same reason."""
    rows = [row for row in run.results if row.finding == MEAN and math.isnan(row.value)]
    lines = (f"{row.test_set}, {row.task}: no mean; {row.note or 'no value'}." for row in rows)
    return list(dict.fromkeys(lines))


def _comparisons(run: SuiteRun) -> list[str]:
    """The first model against each other one, means over findings."""
    found = []
    for row in run.differences:
        if row.finding == MEAN and row.metric in ("AUROC difference", "Dice difference"):
            share = "" if math.isnan(row.fraction) else f", {100 * row.fraction:.3g} %"
            ranked = "" if math.isnan(row.p) else f", p {row.p:.3f}"
            found.append(
                f"{row.model}: {row.metric} {row.value:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"
                f"{ranked} ({row.task}, {row.test_set}{share}; {row.protocol}; paired bootstrap)."
            )
    return [*found, *(f"{line}." for line in run.not_compared)]
