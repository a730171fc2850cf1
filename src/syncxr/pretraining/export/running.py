"""From a checkpoint folder to an exported folder that is whole or absent."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import transformers

from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import load
from syncxr.pretraining.export import FORMATS

_TRANSFORMERS = 5
"""First major version whose configurations are written as those of ``towers.py``."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        format: Name of it.
        folder: Where.
        files: Their names.
        greatest_difference: Between a coordinate of the exported and of the model's unit vectors,
            over films of several sizes and texts of several lengths.
        bar: What it may be at most.
    """

    format: str
    folder: str
    files: tuple[str, ...]
    greatest_difference: float
    bar: float

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def export(checkpoint: Path, name: str, folder: Path) -> Exported:
    """Export a checkpoint and compare what comes out with the model.

    Args:
        checkpoint: Folder, as ``syncxr pretrain`` wrote it.
        name: One of :data:`FORMATS`.
        folder: New, or empty.

    Raises:
        SyncxrError: Unknown format; transformers is too old; the folder holds something; no
            checkpoint there; a model that the format cannot hold; or vectors that differ by more
            than the bar.
    """
    if name not in FORMATS:
        raise SyncxrError(f"--to {name!r} is unknown; known: {', '.join(FORMATS)}")
    if int(transformers.__version__.partition(".")[0]) < _TRANSFORMERS:
        raise SyncxrError(
            f"exports need transformers {_TRANSFORMERS}, not {transformers.__version__}; run: "
            "pip install -U transformers"
        )
    if folder.resolve() == Path.cwd():
        # It would take its place from under the shell that stands in it.
        raise SyncxrError(f"{folder} is the folder that you are in; name a new folder")
    if folder.exists() and any(folder.iterdir()):
        raise SyncxrError(f"{folder} is not empty; name a new folder")
    module, function = FORMATS[name].split(":")
    writer = import_module(module)
    model = load(checkpoint, device="cpu")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        found = getattr(writer, function)(model, partial)
        if found > writer.BAR:
            raise SyncxrError(
                f"the vectors of the {name} export differ by {found:.1e} from the model's, more "
                f"than {writer.BAR:.0e}: nothing is kept"
            )
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    return Exported(name, str(folder), tuple(files), found, writer.BAR)
