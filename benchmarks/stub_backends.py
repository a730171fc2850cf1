"""Backends that take a fixed time and cost next to nothing, to measure what is around them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from heapq import heappop, heappush
from itertools import islice
from threading import Lock
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from syncxr.curation import JUDGES
from syncxr.curation.judge import QUESTIONS, Verdict
from syncxr.images import RENDERERS
from syncxr.images.renderer import Film, RenderRequest
from syncxr.reports import WRITERS
from syncxr.reports.writer import Completion, Prompt
from syncxr.resources import Resources
from syncxr.sample import Entity, Image


class StubOptions(BaseModel):
    """How long a stub takes.

    Attributes:
        latency: Seconds for one request, film or verdict.
        concurrency: Requests that a writer's server takes at a time.
        size: Side of a film, pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency: float = 0.0
    concurrency: int = 16
    size: int = 64


class _Server:
    """When a server would answer that has some places and takes a fixed time at each request."""

    def __init__(self, places: int, latency: float) -> None:
        self._free = [0.0] * places
        self._latency = latency
        self._lock = Lock()

    def accept(self) -> float:
        """Take a request; gives the moment of its answer."""
        with self._lock:
            begins = max(time.monotonic(), heappop(self._free))
            heappush(self._free, begins + self._latency)
            return begins + self._latency


class StubWriter:
    """Like a client of a server that answers each request after ``latency`` seconds."""

    Options = StubOptions
    name = "stub"
    resources = Resources(waits=True)

    def __init__(self, options: StubOptions) -> None:
        self._ahead = 4 * options.concurrency
        self._server = _Server(options.concurrency, options.latency)

    def write(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """A random walk through each prompt's grammar."""
        waiting: deque[tuple[Prompt, float]] = deque()
        coming = iter(prompts)
        while True:
            for prompt in islice(coming, self._ahead - len(waiting)):
                waiting.append((prompt, self._server.accept()))
            if not waiting:
                return
            prompt, answered = waiting.popleft()
            time.sleep(max(0.0, answered - time.monotonic()))
            assert prompt.grammar is not None
            yield Completion(prompt.grammar.walk(np.random.default_rng(prompt.seed)), 0)

    def provenance(self) -> dict[str, Any]:
        """Nothing to tell."""
        return {"writer": self.name}


class StubRenderer:
    """Like an image model on a GPU: one film after the other, ``latency`` seconds each."""

    Options = StubOptions
    name = "stub"
    resources = Resources(gpus=1)

    def __init__(self, options: StubOptions) -> None:
        self._options = options

    def shows(self, entity: Entity) -> bool:
        """Everything."""
        return True

    def render(self, requests: Sequence[RenderRequest]) -> list[Film]:
        """A smooth picture with a little noise, which takes as long to pack as a film."""
        time.sleep(self._options.latency * len(requests))
        return [Film(_noisy(self._options.size, request.seed % 1024)) for request in requests]


class StubJudge:
    """Passes every film, ``latency`` seconds each."""

    Options = StubOptions
    name = "stub"

    def __init__(self, options: StubOptions) -> None:
        self._options = options

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """All good."""
        time.sleep(self._options.latency * len(images))
        return [Verdict(dict.fromkeys(QUESTIONS, 1.0), 0.0) for _ in images]


def register() -> None:
    """Make the stubs known by the name ``stub``."""
    for table, kind in ((WRITERS, "Writer"), (RENDERERS, "Renderer"), (JUDGES, "Judge")):
        table["stub"] = f"stub_backends:Stub{kind}"


@cache
def _smooth(size: int) -> Image:
    y, x = np.mgrid[0:size, 0:size] / size
    return np.asarray(90 + 80 * np.sin(3 * x) * np.cos(4 * y), dtype=np.uint8)


def _noisy(size: int, seed: int) -> Image:
    noise = np.random.default_rng(seed).integers(0, 8, (size, size), dtype=np.uint8)
    return np.asarray(_smooth(size) + noise, dtype=np.uint8)
