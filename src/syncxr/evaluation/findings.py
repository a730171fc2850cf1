"""One name for each finding, and the labels of public test sets that mean it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

NORMAL = ""
"""What :func:`finding_of` gives for a label that says that nothing is abnormal."""


def finding_of(label: str) -> str | None:
    """The finding a label column or a cell stands for; case, ``_`` and ``-`` do not matter.

    Returns:
        The name that prompts and tables use, :data:`NORMAL` for a normal film, None if unknown.
    """
    return _names().get(_key(label))


@cache
def known_findings() -> tuple[str, ...]:
    """Every finding with a name of its own."""
    return tuple(_table()["findings"])


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    raw = yaml.safe_load((Path(__file__).parent / "findings.yaml").read_text("utf-8"))
    return {"normal": {NORMAL: raw["normal"]}, "findings": raw["findings"]}


@cache
def _names() -> dict[str, str]:
    """Spelling to finding."""
    table = _table()
    pairs = [
        (label, finding)
        for part in ("normal", "findings")
        for finding, labels in table[part].items()
        for label in (*filter(None, [finding]), *labels)
    ]
    return {_key(label): finding for label, finding in pairs}


def _key(label: str) -> str:
    return " ".join(label.lower().replace("_", " ").replace("-", " ").split())
