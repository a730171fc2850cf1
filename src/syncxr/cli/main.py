"""Entry point: faults of the user's making end in one line and status 1, a stopped run in 75."""

from __future__ import annotations

import errno
import sys

# Each adds its commands to the application; the help lists them in this order.
# isort: off
from syncxr.cli import generation, judging, corpora, pretraining, exporting, evaluation, datasets
from syncxr.cli import anatomy, operations, cache

# isort: on
from syncxr.cli.app import app
from syncxr.errors import Stopped, SyncxrError
from syncxr.registry import install_command

COMMANDS = (
    generation,
    judging,
    corpora,
    pretraining,
    exporting,
    evaluation,
    datasets,
    anatomy,
    operations,
    cache,
)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except Stopped as stop:
        print(stop, file=sys.stderr)
        sys.exit(stop.status)
    except SyncxrError as error:
        sys.exit(f"error: {error}")
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.partition(".")[0] in ("", "syncxr"):
            raise
        sys.exit(f"error: the package {name!r} is not installed; run: {install_command(name)}")
    except OSError as error:
        sys.exit(f"error: {_reason(error)}; what was finished is kept")


def _reason(error: OSError) -> str:
    """What the system refused, in one line with a remedy where there is one."""
    name = f"{error.filename}: " if error.filename else ""
    # Arrow reports a full disk in words of its own, with the number among them.
    if error.errno == errno.ENOSPC or f"[errno {errno.ENOSPC}]" in str(error):
        return f"{name}the disk is full; free some space and run the same command again"
    return f"{name}{error.strerror or ' '.join(str(error).split())}"
