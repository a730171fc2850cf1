"""The backends that a configuration names, and the servers that they ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from syncxr.chat.options import ChatOptions
from syncxr.config import Config
from syncxr.pipeline import BACKENDS
from syncxr.registry import BackendSpec, backend_class, build


@dataclass(frozen=True)
class Backend:
    """One backend as configured.

    Attributes:
        kind: ``extractor``, ``writer``, ``renderer`` or ``judge``.
        table: Names it can have.
        spec: Its name and options.
    """

    kind: str
    table: Mapping[str, str]
    spec: BackendSpec

    def build(self) -> Any:
        """The backend itself.

        Raises:
            SyncxrError: It cannot be built.
        """
        return build(self.kind, self.table, self.spec)

    def options(self) -> BaseModel | None:
        """Its options with their defaults; ``None`` where they are wrong, which building tells.

        Raises:
            SyncxrError: Unknown name, or a package that is not installed.
        """
        made = backend_class(self.kind, self.table, self.spec).Options
        try:
            options: BaseModel = made(**self.spec.options)
        except ValidationError:
            return None
        return options

    def server(self) -> ChatOptions | None:
        """Which chat server it asks, if it asks one."""
        options = self.options()
        if isinstance(options, ChatOptions):
            return options
        inner = dict(options).values() if options else ()
        return next((value for value in inner if isinstance(value, ChatOptions)), None)

    def at_once(self) -> int:
        """Samples that it has to be given to be busy, as far as its options tell."""
        options = self.options()
        names = ("concurrency", "batch_size", "slots")
        numbers: list[int | None] = [getattr(options, name, None) for name in names]
        server = self.server()
        return max([1, *(n for n in numbers if n), server.concurrency if server else 1])


def backends(config: Config) -> list[Backend]:
    """Every backend that generation uses, in the order in which data meets them."""
    return [Backend(kind, table, getattr(config, kind)) for kind, table in BACKENDS.items()]
