"""What a check found, and the care that no secret is among it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from syncxr.errors import SyncxrError
from syncxr.registry import install_command

State = Literal["ok", "info", "warning", "fault"]

_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SHORTEST = 6
"""Values with fewer characters are no secrets, and would be found in harmless words."""


class Finding(BaseModel):
    """One line of a diagnosis.

    Attributes:
        group: Heading it stands under.
        name: What was looked at.
        state: ``fault``: something configured cannot run; ``warning``: it can, but; ``info``:
            worth knowing; ``ok``.
        detail: What was seen.
        remedy: What to do about it, empty where nothing has to be done.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    name: str
    state: State
    detail: str
    remedy: str = ""


def fault(group: str, name: str, error: Exception) -> Finding:
    """An exception as a finding; a :class:`SyncxrError` brings its remedy behind the last ``;``."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return Finding(
            group=group,
            name=name,
            state="fault",
            detail=f"needs the package {error.name!r}",
            remedy=f"run: {install_command(error.name)}",
        )
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if isinstance(error, SyncxrError):
        detail, _, remedy = lines[0].rpartition("; ")
        return Finding(
            group=group,
            name=name,
            state="fault",
            detail=detail or remedy,
            remedy=remedy if detail else "docs/backends.md shows what each backend needs",
        )
    return Finding(
        group=group,
        name=name,
        state="fault",
        detail=f"{type(error).__name__}: {lines[0]}",
        remedy="a fault that syncxr does not know: report it with `syncxr doctor --json -`",
    )


class Secrets:
    """Values that must not be shown: of the environment, and of a configuration's options.

    Args:
        environment: Variables of the process.
        configuration: JSON values; keys such as ``api_key`` hold a secret, ``api_key_env`` holds
            the name of the variable that does.
    """

    def __init__(self, environment: Mapping[str, str], configuration: Any = None) -> None:
        named = dict(_strings(configuration))
        variables = {value for key, value in named.items() if key.endswith("_env")}
        found = {
            value: f"[{name}]"
            for name, value in environment.items()
            if _SECRET.search(name) or name in variables
        }
        found |= {
            value: f"[{key.rpartition('.')[2]}]"
            for key, value in named.items()
            if _SECRET.search(key.rpartition(".")[2]) and not key.endswith("_env")
        }
        # Longer ones first: one may be a part of another.
        self._found = sorted(
            ((value, label) for value, label in found.items() if len(value) >= _SHORTEST),
            key=lambda item: -len(item[0]),
        )

    def hide(self, finding: Finding) -> Finding:
        """The finding without any of the values."""
        texts = {name: self._hidden(text) for name, text in finding.model_dump().items()}
        return Finding.model_validate(texts)

    def _hidden(self, text: str) -> str:
        for value, label in self._found:
            text = text.replace(value, label)
        return _IN_URL.sub("…", text)


def environment_secrets(configuration: Any = None) -> Secrets:
    """Secrets of this process and of a configuration."""
    return Secrets(os.environ, configuration)


def _strings(tree: Any, key: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _strings(value, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _strings(value, f"{key}.{index}")
    elif isinstance(tree, str):
        yield key, tree
