"""The same tables as Markdown, LaTeX, HTML and on the screen."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from syncxr.evaluation.reporting.html import html
from syncxr.evaluation.reporting.layout import Column, Figure, ResultTable
from syncxr.evaluation.reporting.writers import latex, markdown, screen

NAN = float("nan")
TABLE = ResultTable(
    task="zero-shot classification",
    metric="AUROC",
    title="Zero-shot classification: AUROC",
    subtitle="Prompt set “pair”; 5 % & more",
    columns=(Column("RSNA", "1 %", "split test"), Column("SIIM|ACR", "1 %", "")),
    rows=(
        ("my_model", (Figure(0.8123, 0.7, 0.9, True, True), None)),
        ("<b>[red]", (Figure(0.5, 0.4, 0.6, False, True), Figure(0.5, 0.1, 0.9, False, False))),
        ("no model", (Figure(NAN, NAN, NAN, False, False), None)),
    ),
    models=2,
    notes=("a note",),
    main=True,
)


def test_markdown() -> None:
    text = markdown("Results", [TABLE], ["said"], ["a − b"])
    assert "| my_model | **0.812** [0.700, 0.900] |  |" in text
    assert "|  | RSNA 1 % | SIIM\\|ACR 1 % |" in text
    assert "[0.100, 0.900] |" in text and "0.500 [0.100" not in text
    assert "- RSNA: split test." in text and "- a note" in text and "- a − b" in text


def test_latex() -> None:
    text = latex([TABLE])
    assert "<b>{[}red] & 0.500" in text
    assert r"my\_model & \textbf{0.812} {\scriptsize [0.700, 0.900]} &  \\" in text
    assert r"5 \% \& more" in text and r"\begin{tabular}{lrr}" in text
    lines = text.splitlines()
    assert lines[lines.index(next(x for x in lines if x.startswith("no model"))) - 1] == r"\midrule"
    for opened in ("table", "tabular"):
        assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1
    assert not re.search(r"(?<!\\)[&]", lines[-3]) and text.isascii() is True


class Structure(HTMLParser):
    """Tags that are open, and what may reach out of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "line", "circle"):
            self.open.append(tag)
        self.outside += [v for k, v in attrs if k in ("src", "href") and v and v[0] not in "#d"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html() -> None:
    text = html("Results", [TABLE], ["said"], ["a − b"])
    seen = Structure()
    seen.feed(text)
    assert not seen.open and not seen.outside
    assert '<b class="n">0.812</b>' in text and "&lt;b&gt;[red]" in text
    assert "prefers-color-scheme: dark" in text and "a − b" in text
    assert text.count("<circle") == 2  # a figure without its value has a line and no dot


def test_screen() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(screen(TABLE))
    text = console.file.getvalue()
    assert "0.812 [0.700, 0.900]" in text and "<b>[red]" in text and "a note" in text


def test_findings_are_rows_on_the_screen() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(screen(replace(TABLE, main=False)))
    rows = [line.split("│") for line in console.file.getvalue().splitlines() if "│" in line]
    assert [row[1].strip() for row in rows] == ["RSNA 1 %", "SIIM|ACR 1 %"]
    assert "0.500" in rows[0][3]


@pytest.mark.parametrize("write", [markdown, html])
def test_nothing_scored(write: object) -> None:
    assert "Results" in write("Results", [], ["nothing"])
