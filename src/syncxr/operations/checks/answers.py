"""What each configured backend answers, really built and asked one tiny thing.

What is asked is made up here: nothing of any corpus goes anywhere.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator, Sequence

from syncxr.config import Config
from syncxr.curation.judge import QUESTIONS
from syncxr.entities.extraction import entities_of
from syncxr.errors import SyncxrError
from syncxr.images.renderer import RenderRequest
from syncxr.operations.backends import Backend, backends
from syncxr.operations.checks.server import server
from syncxr.operations.findings import Finding, fault
from syncxr.pipeline import make_stages
from syncxr.progress import console
from syncxr.sample import Category, Entity, Image, Polarity, Sample

_GROUP = "backends"
_FINDINGS = "There is a small left pleural effusion. No pneumothorax."
_IMPRESSION = "Small left pleural effusion."
_ENTITIES = (
    Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, "left", "mild"),
    Entity("pneumothorax", Category.NON_ABNORMALITY, Polarity.ABSENT),
)


def answers(config: Config) -> Iterator[Finding]:
    """Each backend of a configuration, in the order in which data meets them."""
    interview = _Interview(config)
    for backend in backends(config):
        with console.status(f"asking the {backend.kind} ({backend.spec.name})"):
            try:
                if open_keys := config.unfilled(backend.kind):
                    yield _unfilled(backend, open_keys)
                    continue
                yield from _server(backend)
                yield interview.ask(backend)
                interview.sound.add(backend.kind)
            except Exception as error:  # whatever a library throws is a finding
                yield fault(_GROUP, _name(backend), error)
            _let_go()


class _Interview:
    """Asks backends one after the other; what one answers is what the next is asked about."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._entities: tuple[Entity, ...] = _ENTITIES
        self._film: Image | None = None
        self.sound: set[str] = set()
        """Kinds that have answered."""

    def ask(self, backend: Backend) -> Finding:
        """Build a backend and ask it."""
        if backend.kind == "writer" and "extractor" not in self.sound:
            return Finding(
                group=_GROUP,
                name=_name(backend),
                state="warning",
                detail="not asked: there is no extractor to read what it writes",
                remedy="mend the extractor, then ask again",
            )
        start = time.monotonic()
        kinds = {
            "extractor": self._extract,
            "writer": self._write,
            "renderer": self._render,
            "judge": self._judge,
        }
        said = kinds[backend.kind](backend)
        return Finding(
            group=_GROUP,
            name=_name(backend),
            state="ok",
            detail=f"{said} ({time.monotonic() - start:.1f} s, loading included)",
        )

    def _extract(self, backend: Backend) -> str:
        (mentions,) = backend.build().extract([_FINDINGS])
        if not mentions:
            raise SyncxrError(f"found nothing in “{_FINDINGS}”; see that it is the right model")
        # The words of this extractor: others have other concepts and places.
        self._entities = tuple(sorted(entities_of(mentions)))
        return "found " + ", ".join(str(entity) for entity in self._entities)

    def _write(self, _: Backend) -> str:
        """One report through the stage itself, verified as in a run."""
        stage = make_stages(self._config)[0]
        stage.setup()
        result = stage.process([Sample("doctor", self._entities)], lambda n: None)
        (sample,) = result.accepted or result.rejected
        attempts = sample.provenance["draft"]["attempts"]
        if not result.accepted:
            raise SyncxrError(
                f"wrote “{sample.findings}”, refused {len(attempts)} times "
                f"({', '.join(attempts[-1]['reasons'])}); try a larger model, a lower "
                "temperature, or drafting.strategy=grammar where the writer takes grammars"
            )
        return f"wrote “{sample.findings}”, verified in attempt {len(attempts)}"

    def _render(self, backend: Backend) -> str:
        (film,) = backend.build().render([RenderRequest(_FINDINGS, 0, _IMPRESSION)])
        self._film = film.image
        height, width = film.image.shape
        return f"made a film of {width} × {height} pixels"

    def _judge(self, backend: Backend) -> str:
        judge = backend.build()
        if self._film is None:
            return "is there; the renderer made no film to show it"
        (verdict,) = judge.judge([self._film])
        told = ", ".join(
            f"{name} {verdict.answers[name]:.2f}" if name in verdict.answers else f"{name} –"
            for name in QUESTIONS
        )
        passed = (
            "passes the film" if verdict.passed else f"refuses it: {', '.join(verdict.reasons)}"
        )
        return f"{passed}; {told}"


def _unfilled(backend: Backend, keys: Sequence[str]) -> Finding:
    return Finding(
        group=_GROUP,
        name=_name(backend),
        state="fault",
        detail=f"not filled in: {', '.join(keys)}",
        remedy=f"say {' '.join(f'--set {key}=…' for key in keys)}",
    )


def _server(backend: Backend) -> Iterator[Finding]:
    options = backend.server()
    if options is not None:
        yield from server(_GROUP, backend.kind, options)


def _name(backend: Backend) -> str:
    return f"{backend.kind} {backend.spec.name}"


def _let_go() -> None:
    """Free what a backend held, so that the next one fits beside nothing."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
