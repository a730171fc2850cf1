"""What a run needs beside its backends: its corpus, and who does the work."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from syncxr.config import Config
from syncxr.errors import SyncxrError
from syncxr.operations.findings import Finding, fault
from syncxr.pipeline import corpus_reports
from syncxr.registry import install_command
from syncxr.threads import usable_cores

_GROUP = "run"


def runs(config: Config) -> Iterator[Finding]:
    """Corpus and execution of a configuration."""
    yield _corpus(config)
    yield _execution(config)


def _corpus(config: Config) -> Finding:
    if config.unfilled("corpus"):
        return Finding(
            group=_GROUP,
            name="corpus",
            state="warning",
            detail="not filled in: corpus",
            remedy="say --set corpus=…, or give `syncxr generate` a bank",
        )
    try:
        first = next(iter(corpus_reports(config.corpus)), None)
        if first is None:
            raise SyncxrError(f"corpus {config.corpus} holds no report; give another one")
    except SyncxrError as error:
        found = fault(_GROUP, "corpus", error)
        # A run that is given a bank needs no corpus.
        remedy = f"{found.remedy}; or give `syncxr generate` a bank"
        return found.model_copy(update={"state": "warning", "remedy": remedy})
    return Finding(
        group=_GROUP, name="corpus", state="ok", detail=f"{config.corpus}: its reports can be read"
    )


def _execution(config: Config) -> Finding:
    execution = config.execution
    if execution.executor == "ray" and find_spec("ray") is None:
        return Finding(
            group=_GROUP,
            name="executor",
            state="fault",
            detail="ray is configured and not installed",
            remedy=f"run: {install_command('ray')}",
        )
    where = f"on the Ray cluster {execution.ray.address or 'of this machine'}"
    many = execution.executor == "local" and execution.workers > usable_cores()
    return Finding(
        group=_GROUP,
        name="executor",
        state="warning" if many else "ok",
        detail=f"{execution.workers} worker{'s' * (execution.workers > 1)} "
        + ("on this machine" if execution.executor == "local" else where),
        remedy=f"{usable_cores()} cores: --workers {usable_cores()} is faster" if many else "",
    )
