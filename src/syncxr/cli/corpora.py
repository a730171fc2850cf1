"""Commands that look at corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from syncxr.cli.app import app
from syncxr.cli.options import Json, OutputAnywhere, finish


@app.command()
def audit(
    corpus: Annotated[
        str, typer.Argument(help="openi, a CSV with text or findings/impression, or a folder.")
    ] = "openi",
    output: OutputAnywhere = Path("runs/audit"),
    score: Annotated[
        bool, typer.Option("--score", help="Also score extraction against Open-i's MeSH labels.")
    ] = False,
    json: Json = None,
) -> None:
    """What a corpus says and how often: entity bank, long tail, extraction score."""
    from syncxr.factory.audit import audit as run_audit
    from syncxr.factory.audit import audit_table, score_table
    from syncxr.factory.audit import score as run_score
    from syncxr.pipeline import corpus_reports
    from syncxr.views.console import out

    summary = run_audit(corpus_reports(corpus), output)
    if score:
        summary = summary.model_copy(update={"score": run_score()})

    def show(_: Any) -> None:
        out.print(audit_table(summary))
        if summary.score:
            out.print(score_table(summary.score))
        out.print(f"bank: {summary.bank}\nlong tail: {summary.figure}")

    finish(summary, json, show)
