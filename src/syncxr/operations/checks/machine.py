"""Processor, memory, GPU, and room on the disks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from syncxr.assets import cache_folder
from syncxr.dataset.storage import StoragePath
from syncxr.operations.findings import Finding
from syncxr.threads import usable_cores

_GROUP = "machine"
_LITTLE_MEMORY = 4e9
"""The laptop preset holds two processes of about 1.5 GB beside the language model's 0.6 GB."""
_LITTLE_DISK = 2e9
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_NVIDIA = Path("/proc/driver/nvidia/version")


def machine(output: StoragePath) -> Iterator[Finding]:
    """What there is to compute with, and room where the output and the caches go.

    Args:
        output: Folder that a run would write to, here or on a storage; need not exist.
    """
    yield Finding(group=_GROUP, name="cores", state="ok", detail=f"{usable_cores()} usable")
    yield _memory()
    yield from _gpus()
    yield disk("output", output) if isinstance(output, Path) else _storage(output)
    yield disk("cache", cache_folder())


def free_disk(path: Path) -> int:
    """Bytes free where ``path`` lies or would be made."""
    return shutil.disk_usage(existing(path)).free


def existing(path: Path) -> Path:
    """The nearest folder above ``path``, or itself, that is there."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def disk(name: str, path: Path) -> Finding:
    """Whether a folder can be written, and how much fits."""
    place = existing(path)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Finding(
            group=_GROUP,
            name=name,
            state="fault",
            detail=f"{place} cannot be written",
            remedy="choose another folder with -o"
            if name == "output"
            else "set SYNCXR_CACHE to a folder of yours",
        )
    free = free_disk(path)
    little = free < _LITTLE_DISK
    return Finding(
        group=_GROUP,
        name=name,
        state="warning" if little else "ok",
        detail=f"{free / 1e9:.1f} GB free at {path}",
        remedy="free some; `syncxr generate --dry-run` tells what a run takes" if little else "",
    )


def _storage(output: StoragePath) -> Finding:
    """Whether a storage answers at all; writing to it is left to a run."""
    try:
        there = output.exists()
    except Exception as error:  # each storage has its own
        reason = " ".join(str(error).split()) or type(error).__name__
        return Finding(
            group=_GROUP,
            name="output",
            state="fault",
            detail=f"{output} does not answer: {reason}",
            remedy="see the address, and the credentials that its library takes from the "
            "environment",
        )
    detail = f"{output} answers; the folder is {'there' if there else 'not there yet'}"
    return Finding(group=_GROUP, name="output", state="ok", detail=detail)


def _memory() -> Finding:
    total, available = _memory_bytes()
    if not total:
        return Finding(
            group=_GROUP, name="memory", state="info", detail="this system does not tell"
        )
    little = available < _LITTLE_MEMORY
    return Finding(
        group=_GROUP,
        name="memory",
        state="warning" if little else "ok",
        detail=f"{available / 1e9:.1f} of {total / 1e9:.1f} GB available",
        remedy="close something, or run with --workers 1" if little else "",
    )


def _memory_bytes() -> tuple[int, int]:
    """Total and available, as Linux tells; a container's limit counts."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return 0, 0
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    total, available = 1024 * kilobytes["MemTotal"], 1024 * kilobytes["MemAvailable"]
    try:
        limit = int(_CGROUP.read_text("ascii"))
    except (OSError, ValueError):
        return total, available
    return min(total, limit), min(available, limit)


def _gpus() -> Iterator[Finding]:
    if find_spec("torch") is None:
        yield Finding(
            group=_GROUP,
            name="GPU",
            state="info",
            detail="not looked for: torch is not installed",
            remedy="if you need it: pip install 'syncxr[embedded]'",
        )
        return
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            yield Finding(
                group=_GROUP,
                name=f"GPU {index}",
                state="ok",
                detail=f"{torch.cuda.get_device_name(index)}, {free / 1e9:.0f} of "
                f"{total / 1e9:.0f} GB free",
            )
    elif _NVIDIA.exists():
        yield Finding(
            group=_GROUP,
            name="GPU",
            state="warning",
            detail=f"there is an NVIDIA driver, but torch {torch.__version__} sees no GPU",
            remedy="install the torch that fits the driver (https://pytorch.org/get-started)",
        )
    else:
        yield Finding(
            group=_GROUP,
            name="GPU",
            state="info",
            detail="none: the laptop preset needs none, the paper's models do",
        )
