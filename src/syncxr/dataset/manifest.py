"""The manifest: what a dataset consists of and what it was made with."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.dataset.files import read_text, write_text
from syncxr.dataset.shards import FileRecord, ShardRecord
from syncxr.dataset.storage import StoragePath
from syncxr.errors import SyncxrError

_packages = (
    *("syncxr", "numpy", "scipy", "pillow", "pyarrow", "spacy"),
    *("torch", "xllamacpp", "transformers", "diffusers", "openai"),
)


class Manifest(BaseModel):
    """Everything needed to check a dataset and to know on what its bytes depend.

    Attributes:
        configuration: Hash of the configuration that made it.
        pairs: Number of accepted pairs.
        files: The Parquet files, paths relative to the dataset folder.
        statistics: Counts summed over shards.
        environment: Library versions and kind of processor; the same drafted text gives the
            same bytes where these are the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    synthetic: bool = True
    configuration: str
    pairs: int
    files: tuple[FileRecord, ...]
    statistics: dict[str, int]
    environment: dict[str, str]


def build_manifest(
    records: Iterable[ShardRecord], prefix: str, configuration: Mapping[str, Any]
) -> Manifest:
    """Gather committed shards.

    Args:
        records: Shard records of the last stage.
        prefix: Folder of the dataset inside the run; only its files are listed.
        configuration: What decided the data, JSON values; its hash is kept.
    """
    files: list[FileRecord] = []
    statistics: Counter[str] = Counter()
    for record in sorted(records, key=lambda record: record.index):
        for file in record.files:
            if file.path.startswith(prefix + "/"):
                relative = file.path.removeprefix(prefix + "/")
                files.append(file.model_copy(update={"path": relative}))
        statistics.update({k: v for k, v in record.statistics.items() if isinstance(v, int)})
    canonical = json.dumps(configuration, sort_keys=True).encode()
    return Manifest(
        configuration=hashlib.sha256(canonical).hexdigest(),
        pairs=sum(file.rows for file in files),
        files=tuple(files),
        statistics=dict(sorted(statistics.items())),
        environment=environment(),
    )


def write_manifest(manifest: Manifest, folder: StoragePath) -> None:
    """Write ``manifest.json`` into a dataset folder."""
    write_text(folder / "manifest.json", manifest.model_dump_json(indent=1) + "\n")


def read_manifest(folder: StoragePath) -> Manifest:
    """Read ``manifest.json`` of a dataset folder.

    Raises:
        SyncxrError: It is missing or damaged.
    """
    path = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(read_text(path))
    except FileNotFoundError as error:
        raise SyncxrError(f"{path} does not exist; the dataset was not finished") from error
    except ValidationError as error:
        raise SyncxrError(f"{path} is not a manifest; make the dataset again") from error


def environment() -> dict[str, str]:
    """Versions and kind of processor that bytes may depend on."""
    found: dict[str, Any] = {}
    for name in _packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    found["python"] = platform.python_version()
    found["machine"] = f"{platform.system()} {platform.machine()} {_processor()}"
    found["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "unset")
    return dict(sorted(found.items()))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
