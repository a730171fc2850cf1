"""Commands that make pairs, all at once or stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from syncxr.cli.app import app
from syncxr.cli.options import (
    ConfigSource,
    Json,
    Output,
    OutputAnywhere,
    Overrides,
    Workers,
    configuration,
    finish,
    source_anywhere,
)
from syncxr.dataset.storage import locate


@app.command()
def demo(
    pairs: Annotated[int | None, typer.Option(min=40, metavar="N", help="Pairs to make.")] = None,
    output: Output = Path("runs/demo"),
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Run everything: reports in; a curated dataset, a trained model and its scores out.

    Stopped at any moment, the same command goes on where it was.
    """
    from syncxr.demo import run_demo
    from syncxr.views.console import show_run

    settings = configuration(config, overrides, pairs=pairs, workers=workers)
    finish(run_demo(settings, output), json, show_run)


@app.command()
def generate(
    bank: Annotated[
        Any,
        source_anywhere("Entity bank: bank.parquet of an audit, or a CSV; else Open-i's."),
    ] = None,
    pairs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Pairs to make.")] = None,
    extend: Annotated[bool, typer.Option("--extend", help="Add to what OUTPUT holds.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only tell what it will take, from a short measurement."),
    ] = False,
    output: OutputAnywhere = Path("runs/generate"),
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Plan, draft, render and curate: an entity bank in, a dataset out."""
    from syncxr.pipeline import run_generate
    from syncxr.views.console import show_run

    settings = configuration(config, overrides, pairs=pairs, workers=workers)
    if dry_run:
        from syncxr.operations.estimate import estimate
        from syncxr.views.operations import show_estimate

        finish(estimate(settings, bank, output), json, show_estimate)
        return
    finish(run_generate(settings, output, bank, extend=extend), json, show_run)


@app.command()
def plan(
    bank: Annotated[Any, source_anywhere("bank.parquet of an audit, or a CSV (entity).")],
    output: OutputAnywhere = Path("runs/plan.parquet"),
    pairs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Reports to plan.")] = None,
    extend: Annotated[
        Any, typer.Option(parser=locate, metavar="PATH|URL", help="An earlier plan to add to.")
    ] = None,
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    json: Json = None,
) -> None:
    """Draw entities in balance: which findings each report states."""
    from syncxr.pipeline import run_plan
    from syncxr.views.console import show_plan

    finish(
        run_plan(configuration(config, overrides, pairs=pairs), bank, output, extend),
        json,
        show_plan,
    )


@app.command()
def draft(
    source: Annotated[
        Any, source_anywhere("plan.parquet, or a CSV with id and entities (a; b; no c).")
    ],
    output: OutputAnywhere = Path("runs/drafts"),
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    json: Json = None,
) -> None:
    """Write FINDINGS and IMPRESSION for each planned report, and verify them."""
    from syncxr.pipeline import run_draft
    from syncxr.views.console import show_stage

    finish(run_draft(configuration(config, overrides), source, output), json, show_stage)


@app.command()
def render(
    source: Annotated[
        Any, source_anywhere("Folder of drafts, or your reports: a CSV or a folder of .txt.")
    ],
    output: OutputAnywhere = Path("runs/films"),
    judge: Annotated[
        bool, typer.Option(help="Judge each film and render refused ones again.")
    ] = True,
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Turn reports into films with masks; what could not be shown is in the provenance."""
    from syncxr.pipeline import run_render
    from syncxr.views.console import show_stage

    settings = configuration(config, overrides, workers=workers)
    finish(run_render(settings, source, output, judge=judge), json, show_stage)


@app.command()
def curate(
    source: Annotated[Any, source_anywhere("A dataset, or your folder of images.")],
    output: OutputAnywhere = Path("runs/curated"),
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Ask six questions of each film; keep the good ones, list every verdict."""
    from syncxr.pipeline import run_curate
    from syncxr.views.console import show_stage

    finish(
        run_curate(configuration(config, overrides, workers=workers), source, output),
        json,
        show_stage,
    )


@app.command()
def counterfactual(
    source: Annotated[Any, source_anywhere("A run folder of generate or render, or its dataset.")],
    output: OutputAnywhere = Path("runs/counterfactuals"),
    pairs: Annotated[
        int | None,
        typer.Option(min=1, help="Only the first N pairs that show a finding.", metavar="N"),
    ] = None,
    regrade: Annotated[
        bool,
        typer.Option(
            "--regrade",
            help="Also each pair with a stated severity changed: severe becomes mild, else severe.",
        ),
    ] = False,
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Take the films of a dataset again, each without one of its findings.

    Patient, pose, exposure, noise and processing stay; the text denies what is gone. A dataset is
    written beside the originals: provenance.counterfactual names the original's id, the finding,
    and what came and went. Films are taken again by the renderer that SOURCE's configuration
    names; one that does not come out as it is stored is refused.

    Example: syncxr counterfactual runs/demo --pairs 100 --regrade -o runs/changed
    """
    from syncxr.pipeline import run_counterfactual
    from syncxr.views.console import show_stage

    settings = configuration(config, overrides, workers=workers)
    made = run_counterfactual(settings, source, output, pairs=pairs, regrade=regrade)
    finish(made, json, show_stage)


@app.command()
def verify(
    run: Annotated[Any, source_anywhere("A run folder, or a dataset folder.")],
    json: Json = None,
) -> None:
    """Check hashes, pairs, masks and texts of what a run left; status 1 if any is wrong."""
    from syncxr.factory.verify import verify as run_verify
    from syncxr.views.console import show_verification

    result = run_verify(run)
    finish(result, json, show_verification)
    if result.faults:
        raise typer.Exit(1)
