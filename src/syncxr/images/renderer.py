"""What every image model offers: films from the words of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from syncxr.sample import Entity, Image, Mask


@dataclass(frozen=True)
class RenderRequest:
    """One film to make: what the report says, and no hidden label.

    Attributes:
        findings: FINDINGS section, or any words.
        seed: Decides everything the words leave open.
        impression: IMPRESSION section.
    """

    findings: str
    seed: int
    impression: str = ""

    @property
    def text(self) -> str:
        """The whole report, as it reads."""
        return f"{self.findings} {self.impression}".strip()


@dataclass(frozen=True)
class Film:
    """One rendered film.

    Attributes:
        image: Greyscale film, uint8, (H, W).
        masks: ``str(entity)`` to where the changed tissue lies, only for findings whose place the
            renderer knows.
        visible: The same keys to where the film differs visibly from one without the finding, only
            from renderers that can tell.
        shown: Positive findings that are in the film.
        not_shown: Positive findings that are not, each with the reason.
        parameters: What was sampled (patient, pose, film), JSON values only.
    """

    image: Image
    masks: dict[str, Mask] = field(default_factory=dict)
    visible: dict[str, Mask] = field(default_factory=dict)
    shown: tuple[Entity, ...] = ()
    not_shown: tuple[tuple[Entity, str], ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)


class Renderer(Protocol):
    """A text-to-image model for chest radiographs."""

    name: str

    def shows(self, entity: Entity) -> bool:
        """Whether this renderer can put ``entity`` (a positive finding) into a film."""
        ...

    def render(self, requests: Sequence[RenderRequest]) -> list[Film]:
        """One film a request, in order; each depends on its own request only."""
        ...
