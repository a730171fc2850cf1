"""What one worker of a stage needs, declared by the backend that works in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """What a worker needs; a backend's class says it in an attribute ``resources``.

    The configuration may overrule it for a stage (``execution.stages``).

    Attributes:
        cpus: Cores.
        gpus: Graphics processors; 0.5 lets two workers share one.
        whole_machine: It uses all cores by itself, so that one worker a machine is right.
        waits: It works at a server: what it needs here is next to nothing, and several shards at
            a time keep the server busy from the end of one to the beginning of the next. Its
            methods are called from several threads.
    """

    cpus: float = 1.0
    gpus: float = 0.0
    whole_machine: bool = False
    waits: bool = False

    def __or__(self, other: Resources) -> Resources:
        """What a worker needs that holds both backends, used one after the other."""
        return Resources(
            max(self.cpus, other.cpus),
            max(self.gpus, other.gpus),
            self.whole_machine or other.whole_machine,
            self.waits and other.waits,
        )
