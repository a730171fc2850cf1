"""What is installed."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from syncxr import __version__
from syncxr.operations.findings import Finding
from syncxr.registry import extra_packages

_GROUP = "software"
_OLDEST = (3, 11)


def software() -> Iterator[Finding]:
    """Python, syncxr, and for each of its extras which packages are there."""
    version = platform.python_version()
    old = sys.version_info < _OLDEST
    yield Finding(
        group=_GROUP,
        name="python",
        state="fault" if old else "ok",
        detail=f"{version} on {platform.system()} {platform.machine()}",
        remedy="install Python 3.11 or newer" if old else "",
    )
    yield Finding(group=_GROUP, name="syncxr", state="ok", detail=__version__)
    for extra, packages in extra_packages().items():
        yield _extra(extra, packages)


def _extra(extra: str, packages: tuple[str, ...]) -> Finding:
    versions = {package: _version(package) for package in packages}
    missing = [package for package, version in versions.items() if not version]
    name = f"syncxr[{extra}]"
    if missing:
        return Finding(
            group=_GROUP,
            name=name,
            state="info",
            detail=f"not installed: {', '.join(missing)}",
            remedy=f"if you need it: pip install '{name}'",
        )
    # What the extra adds; most of them bring the packages of "embedded" along.
    shared = () if extra == "embedded" else extra_packages()["embedded"]
    told = ", ".join(f"{name} {found}" for name, found in versions.items() if name not in shared)
    return Finding(group=_GROUP, name=name, state="ok", detail=told)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
