"""Backends by name, imported only when chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module, metadata
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.errors import SyncxrError


class BackendSpec(BaseModel):
    """A backend as a configuration names it: its ``name`` and, beside it, its own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


def build(kind: str, table: Mapping[str, str], spec: BackendSpec) -> Any:
    """Make the backend that ``spec`` names.

    Args:
        kind: What it is, for messages: ``"renderer"``, ``"writer"``, ``"judge"``.
        table: Name to ``"module:Class"``. The class has a pydantic model ``Options`` and takes
            one instance of it.
        spec: Name and options.

    Raises:
        SyncxrError: Unknown name, a package that is not installed, or bad options.
    """
    options = read_options(kind, table, spec)
    try:
        return backend_class(kind, table, spec)(options)
    except SyncxrError as error:
        # Models and servers do not know for whom they are.
        named = "" if str(error).startswith(kind) else f"{kind} {spec.name!r}: "
        raise SyncxrError(f"{named}{error}") from error


def read_options(kind: str, table: Mapping[str, str], spec: BackendSpec) -> BaseModel:
    """Options of the backend that ``spec`` names, with their defaults; nothing is loaded.

    Raises:
        SyncxrError: As :func:`build`. No value is repeated: it may be a key out of its place.
    """
    model: type[BaseModel] = backend_class(kind, table, spec).Options
    try:
        return model(**spec.options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        told = first["msg"]
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields) or "none"
            told = f"there is no such option; {near(key, model) or f'known: {known}'}"
        raise SyncxrError(f"{kind} {spec.name!r}, option {key!r}: {told}") from None


def near(key: str, model: type[BaseModel]) -> str:
    """What may have been meant by a key that a model does not have; ``""`` if nothing."""
    found = get_close_matches(key.lower(), _keys(model), 1)
    return f"did you mean {found[0]}?" if found else ""


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted keys of a model and of the models inside it."""
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _keys(field.annotation, f"{prefix}{name}.")
    return found


def backend_class(kind: str, table: Mapping[str, str], spec: BackendSpec) -> Any:
    """The class of the backend that ``spec`` names; nothing is loaded.

    Raises:
        SyncxrError: Unknown name, or a package that is not installed.
    """
    if spec.name not in table:
        known = ", ".join(sorted(table))
        raise SyncxrError(f"{kind} {spec.name!r} is unknown; known: {known}")
    module, _, attribute = table[spec.name].partition(":")
    try:
        backend = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("syncxr"):
            raise
        raise SyncxrError(
            f"{kind} {spec.name!r} needs the package {error.name!r}; "
            f"run: {install_command(error.name or '')}"
        ) from error
    return backend


def install_command(package: str) -> str:
    """What to type so that ``package`` (an import name) is there.

    It names the smallest of syncxr's extras that brings it, or the package itself if none does.
    """
    wanted = _distribution(package.partition(".")[0])
    extras = extra_packages()
    holders = [extra for extra, names in extras.items() if wanted in names]
    if not holders:
        return f"pip install {wanted}"
    return f"pip install 'syncxr[{min(holders, key=lambda extra: len(extras[extra]))}]'"


def extra_packages() -> dict[str, tuple[str, ...]]:
    """The extras that users can install, each with the distributions that it asks for."""
    found: dict[str, list[str]] = {}
    for requirement in metadata.requires("syncxr") or []:
        extra = re.search(r"extra == [\"'](.+?)[\"']", requirement)
        name = re.match(r"[\w.-]+", requirement)
        if extra and name and extra[1] != "dev":
            found.setdefault(extra[1], []).append(_distribution(name[0]))
    return {extra: tuple(names) for extra, names in sorted(found.items())}


def _distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
