"""The command line: parses, calls one function, prints; no logic."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from syncxr.errors import SyncxrError

app = typer.Typer(
    name="syncxr",
    help="Make chest X-ray image-report pairs that no patient ever had, and measure what they "
    "are worth.\n\nStart with [bold]syncxr demo[/bold]; every stage also runs alone, on the "
    "previous stage's output or on your own files.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write every figure here; - for stdout."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for what is made.")]
ConfigSource = Annotated[
    str, typer.Option("--config", "-c", help="A preset (laptop) or your own YAML file.")
]
Workers = Annotated[
    int | None, typer.Option(help="Processes that render and judge; changes no byte.")
]


def main() -> None:
    """Run the command line; faults of the user's making end in one line and status 1."""
    try:
        app()
    except SyncxrError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {_reason(error)}; what was finished is kept")


@app.command()
def demo(
    pairs: Annotated[int | None, typer.Option(min=40, help="Pairs to make.")] = None,
    output: Output = Path("runs/demo"),
    config: ConfigSource = "laptop",
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Run everything: reports in; a curated dataset, a trained model and its scores out.

    Stopped at any moment, the same command goes on where it was.
    """
    from syncxr.demo import run_demo
    from syncxr.views.console import show_run

    settings = _config(config, pairs=pairs, workers=workers)
    _finish(run_demo(settings, output), json, show_run)


@app.command()
def generate(
    bank: Annotated[
        Path | None,
        typer.Argument(help="Entity bank: bank.parquet of an audit, or a CSV; else Open-i's."),
    ] = None,
    pairs: Annotated[int | None, typer.Option(min=1, help="Pairs to make.")] = None,
    extend: Annotated[bool, typer.Option("--extend", help="Add to what OUTPUT holds.")] = False,
    output: Output = Path("runs/generate"),
    config: ConfigSource = "laptop",
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Plan, draft, render and curate: an entity bank in, a dataset out."""
    from syncxr.pipeline import run_generate
    from syncxr.views.console import show_run

    settings = _config(config, pairs=pairs, workers=workers)
    _finish(run_generate(settings, output, bank, extend=extend), json, show_run)


@app.command()
def audit(
    corpus: Annotated[
        str, typer.Argument(help="openi, a CSV with text or findings/impression, or a folder.")
    ] = "openi",
    output: Output = Path("runs/audit"),
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

    _finish(summary, json, show)


@app.command()
def plan(
    bank: Annotated[Path, typer.Argument(help="bank.parquet of an audit, or a CSV (entity).")],
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("runs/plan.parquet"),
    pairs: Annotated[int | None, typer.Option(min=1, help="Reports to plan.")] = None,
    extend: Annotated[Path | None, typer.Option(help="An earlier plan to keep and add to.")] = None,
    config: ConfigSource = "laptop",
    json: Json = None,
) -> None:
    """Draw entities in balance: which findings each report states."""
    from syncxr.pipeline import run_plan
    from syncxr.views.console import show_plan

    _finish(run_plan(_config(config, pairs=pairs), bank, output, extend), json, show_plan)


@app.command()
def draft(
    source: Annotated[
        Path, typer.Argument(help="plan.parquet, or a CSV with id and entities (a; b; no c).")
    ],
    output: Output = Path("runs/drafts"),
    config: ConfigSource = "laptop",
    json: Json = None,
) -> None:
    """Write FINDINGS and IMPRESSION for each planned report, and verify them."""
    from syncxr.pipeline import run_draft
    from syncxr.views.console import show_stage

    _finish(run_draft(_config(config), source, output), json, show_stage)


@app.command()
def render(
    source: Annotated[
        Path, typer.Argument(help="Folder of drafts, or your reports: a CSV or a folder of .txt.")
    ],
    output: Output = Path("runs/films"),
    judge: Annotated[
        bool, typer.Option(help="Judge each film and render refused ones again.")
    ] = True,
    config: ConfigSource = "laptop",
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Turn reports into films with masks; what could not be shown is in the provenance."""
    from syncxr.pipeline import run_render
    from syncxr.views.console import show_stage

    settings = _config(config, workers=workers)
    _finish(run_render(settings, source, output, judge=judge), json, show_stage)


@app.command()
def curate(
    source: Annotated[Path, typer.Argument(help="A dataset, or your folder of images.")],
    output: Output = Path("runs/curated"),
    config: ConfigSource = "laptop",
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Ask six questions of each film; keep the good ones, list every verdict."""
    from syncxr.pipeline import run_curate
    from syncxr.views.console import show_stage

    _finish(run_curate(_config(config, workers=workers), source, output), json, show_stage)


@app.command()
def pretrain(
    source: Annotated[
        Path, typer.Argument(help="A dataset, or a CSV with image and text columns.")
    ],
    output: Output = Path("runs/checkpoint"),
    images: Annotated[
        Path | None, typer.Option(help="Folder that a CSV's image column is relative to.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    config: ConfigSource = "laptop",
    json: Json = None,
) -> None:
    """Train a vision-language model on image-report pairs; goes on where it stopped."""
    from syncxr.pipeline import run_pretraining
    from syncxr.views.console import show_figures

    settings = _config(config, epochs=epochs, minutes=minutes)
    _finish(run_pretraining(settings, source, output, images), json, show_figures)


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    images: Annotated[Path | None, typer.Option(help="Folder of your own films.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Their labels.csv: image, labels, patient, view, bbox.")
    ] = None,
    prompts: Annotated[str, typer.Option(help="Prompt set.")] = "pair",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the simulated test set.")
    ] = Path("runs/test"),
    config: ConfigSource = "laptop",
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Score a model zero-shot, on your films or on held-out simulated ones."""
    from syncxr.pipeline import run_evaluation
    from syncxr.views.console import out

    settings = _config(config, workers=workers)
    result = run_evaluation(settings, checkpoint, images, labels, output, prompts)
    _finish(result, json, lambda _: out.print(*result.to_rich(), sep="\n"))


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(help="A run folder, or a dataset folder.")],
    json: Json = None,
) -> None:
    """Check hashes, pairs, masks and texts of what a run left; status 1 if any is wrong."""
    from syncxr.factory.verify import verify as run_verify
    from syncxr.views.console import show_verification

    result = run_verify(run)
    _finish(result, json, show_verification)
    if result.faults:
        raise typer.Exit(1)


def _reason(error: OSError) -> str:
    """What the system refused, in one line with a remedy where there is one."""
    name = f"{error.filename}: " if error.filename else ""
    # Arrow reports a full disk in words of its own, with the number among them.
    if error.errno == errno.ENOSPC or f"[errno {errno.ENOSPC}]" in str(error):
        return f"{name}the disk is full; free some space and run the same command again"
    return f"{name}{error.strerror or ' '.join(str(error).split())}"


def _config(source: str, **options: Any) -> Any:
    """A configuration with the options that a command takes laid over it."""
    from syncxr.config import load_config

    keys = {
        "pairs": "sampling.pairs",
        "workers": "execution.workers",
        "epochs": "pretraining.epochs",
        "minutes": "pretraining.minutes",
    }
    return load_config(source, {keys[name]: value for name, value in options.items()})


def _finish(result: Any, json: Path | None, show: Any) -> None:
    """Print a result for people or, if asked, as JSON on stdout; and write it to a file."""
    from syncxr.views.console import plain, write_json

    if json != Path("-"):
        show(plain(result))
    if json is not None:
        write_json(result, json)
