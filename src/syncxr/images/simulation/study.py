"""A film that can be taken again with other findings, everything else frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from syncxr.images.renderer import Film
from syncxr.images.simulation.film.develop import Developed
from syncxr.images.simulation.reading import Instructions
from syncxr.images.simulation.scene import Scene
from syncxr.sample import Entity, Image, Mask


class Retaker(Protocol):
    """What can take the film of a study again."""

    def retake(
        self, study: SimulatedStudy, findings: Sequence[Entity], held: bool = False
    ) -> tuple[Image, Mapping[Entity, Mask]]:
        """The film with other findings, exposure and processing frozen; their masks.

        Args:
            study: Whose film.
            findings: To be drawn.
            held: Whether what sharpening added to the study's film is held as well; see
                :class:`~syncxr.images.simulation.film.develop.Frozen`.
        """
        ...


@dataclass(frozen=True)
class SimulatedStudy:
    """One film with all that made it.

    Attributes:
        renderer: What took it.
        film: As rendered.
        drawn: Things drawn to the statements that each stands for.
        instructions: What the text asks for.
        scene: Patient, pose and exposure.
        seed: Of the request.
        heart_ratio: Cardiothoracic ratio on the film, fluid round the heart included; ``None`` in a
            lateral view.
        developed: The film as it was developed.
    """

    renderer: Retaker
    film: Film
    drawn: Mapping[Entity, tuple[Entity, ...]]
    instructions: Instructions
    scene: Scene
    seed: int
    heart_ratio: float | None
    developed: Developed

    @property
    def pixel_mm(self) -> float:
        """Pixel size at the detector."""
        return self.developed.pixel_mm

    @property
    def view(self) -> str:
        """``"PA"``, ``"AP"`` or ``"lateral"``."""
        return self.scene.pose.view

    def without(self, entities: Collection[Entity], held: bool = False) -> Image:
        """The same film, all findings but these drawn.

        Args:
            entities: To be left out.
            held: Whether what sharpening added to the film is held as well: no film that anybody
                reads, but its difference lies where the findings' own tissue does.
        """
        gone = set(entities)
        rest = [thing for thing, members in self.drawn.items() if gone.isdisjoint(members)]
        return self.renderer.retake(self, rest, held)[0]

    def imagine(self, entity: Entity) -> tuple[Image, Mask]:
        """The same patient with this finding alone, and its mask."""
        image, masks = self.renderer.retake(self, [entity])
        return image, masks[entity]
