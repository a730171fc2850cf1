"""Commands that look at corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import app
from syncxr.cli.options import ConfigSource, Json, Output, Overrides, Workers, configuration, finish


@app.command()
def audit(
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="openi; MIMIC-CXR-JPG's folder; a CSV with text or findings/impression, and "
            "image; or a folder of films and/or .txt reports.",
        ),
    ] = "openi",
    films: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Of the films, for openi or a CSV.")
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER|ZIP", help="Of the reports, for MIMIC-CXR."),
    ] = None,
    judge: Annotated[bool, typer.Option(help="Inspect the films, too.")] = True,
    score: Annotated[
        bool, typer.Option("--score", help="Also score extraction against Open-i's MeSH labels.")
    ] = False,
    output: Output = Path("runs/audit"),
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """What a corpus says and how often, which of its films are usable, what lacks its pair.

    Stopped at any moment, the same command goes on where it was.
    """
    from syncxr.pipeline import run_audit
    from syncxr.views.audit import show_audit

    settings = configuration(config, overrides, workers=workers)
    summary = run_audit(
        settings, corpus, output, films=films, reports=reports, judge=judge, score=score
    )
    finish(summary, json, lambda _: show_audit(summary))


@app.command()
def export_bank(
    bank: Annotated[Path, typer.Argument(metavar="BANK", help="bank.parquet of an audit.")],
    output: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet file to write.")],
    min_count: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Reports that must state a string for it to leave."),
    ] = 5,
    json: Json = None,
) -> None:
    """Write a bank to hand on: without the rare strings that may tell who a report is about.

    The terms of the corpus go with it.
    """
    from syncxr.entities.exporting import export_bank as run_export
    from syncxr.views.console import show_figures

    finish(run_export(bank, output, min_count), json, show_figures)
