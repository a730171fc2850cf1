"""The simulation as a renderer: from a report's words to a film with masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scipy import ndimage

from syncxr.errors import SyncxrError
from syncxr.images.renderer import Film, RenderRequest
from syncxr.images.simulation.anatomies.store import resolve
from syncxr.images.simulation.anatomy import Patient, Population
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.film.beam import fluence
from syncxr.images.simulation.film.develop import Developed, Frozen, develop
from syncxr.images.simulation.findings import FINDINGS
from syncxr.images.simulation.insertion import Inserted, insert
from syncxr.images.simulation.nuisance import Nuisance, nuisance_of
from syncxr.images.simulation.reading import Instructions, instructions, unite
from syncxr.images.simulation.scene import Scene, View
from syncxr.images.simulation.study import SimulatedStudy
from syncxr.images.simulation.thorax import SOURCE
from syncxr.images.simulation.trace import Paths, trace
from syncxr.images.visibility import noise_level, seen, visible_pixels
from syncxr.sample import Entity, Image, Mask, Polarity
from syncxr.threads import torch_threads


class SimulationOptions(BaseModel):
    """Options of the simulation.

    Attributes:
        size: Height and width of a film, pixels.
        population: ``"train"`` or ``"held_out"`` patients: the latter have at least one
            deformation parameter beyond what any training patient has.
        resolution_mm: Voxel size of the body; 2 mm is enough below 300 pixels.
        views: Share of each view among films whose text names none.
        inverted: Share of films with bone dark, as they look when stored for MONOCHROME1.
        device: Where rays are followed and films developed, as torch names it.
        anatomies: Source bodies that patients are drawn from: the shipped ``lidc`` and those added
            by ``syncxr anatomy add``; an added one is held with the fingerprint of its CT.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=224, ge=64, le=1024)
    population: Population = "train"
    resolution_mm: float = Field(default=2.0, ge=1.0, le=4.0)
    views: dict[View, float] = Field(default={"PA": 0.75, "AP": 0.25})
    inverted: float = Field(default=0.0, ge=0.0, le=1.0)
    device: str = "cpu"
    anatomies: tuple[str, ...] = (SOURCE,)

    @field_validator("anatomies")
    @classmethod
    def _known(cls, anatomies: tuple[str, ...]) -> tuple[str, ...]:
        if not anatomies:
            raise ValueError(f"needs at least one body, e.g. [{SOURCE}]")
        try:
            return tuple(resolve(name) for name in anatomies)
        except SyncxrError as error:
            raise ValueError(str(error)) from error

    @field_validator("views")
    @classmethod
    def _some(cls, views: dict[View, float]) -> dict[View, float]:
        if min(views.values(), default=0.0) < 0.0 or sum(views.values()) <= 0.0:
            raise ValueError("needs a positive share, e.g. {PA: 0.75, AP: 0.25}")
        return views


class _Traced(NamedTuple):
    """What the rays met, and who made them meet it."""

    paths: Paths
    inserted: dict[Entity, Inserted]
    patient: Patient
    nuisance: Nuisance


class SimulationRenderer:
    """Renders radiographs of one CT's many variants.

    Args:
        options: See :class:`SimulationOptions`.
    """

    Options: ClassVar = SimulationOptions
    name = "simulation"

    def __init__(self, options: SimulationOptions) -> None:
        self.options = options

    def shows(self, entity: Entity) -> bool:
        """Whether a positive finding, with its place and severity, can be drawn."""
        return not self.refusal(entity)

    def refusal(self, entity: Entity) -> str:
        """Why a positive statement cannot be drawn; ``""`` if it can."""
        if entity.polarity is Polarity.UNCERTAIN:
            return "uncertain findings are not drawn"
        finding = FINDINGS.get(entity.concept)
        if finding is None:
            return "the simulator has no model of this finding"
        return finding.refuses(entity)

    def render(self, requests: Sequence[RenderRequest]) -> list[Film]:
        """One film a request, in order; each depends on its own request only."""
        return [self.study(request).film for request in requests]

    def render_entities(
        self, entities: Sequence[Entity], seed: int, view: View | None = None
    ) -> Film:
        """A film of what is stated.

        Args:
            entities: Statements of any polarity; only positive findings are drawn.
            seed: Decides everything the statements leave open.
            view: The view to take; by default drawn.
        """
        return self.follow(Instructions(tuple(entities), view=view), seed).film

    def study(self, request: RenderRequest) -> SimulatedStudy:
        """The film of ``request`` with its counterfactuals, for measuring."""
        return self.follow(instructions(request.text), request.seed)

    def follow(self, wanted: Instructions, seed: int) -> SimulatedStudy:
        """The film of what a text asks for."""
        options = self.options
        scene = Scene.sample(
            seed,
            options.population,
            options.views,
            wanted.view,
            options.inverted,
            options.anatomies,
            wanted.supine,
        )
        return self.film_of(scene, wanted, seed)

    def again(self, study: SimulatedStudy, wanted: Instructions) -> SimulatedStudy:
        """The same patient as another text has it, exposure and processing frozen."""
        return self.film_of(study.scene, wanted, study.seed, study.developed.frozen)

    def film_of(
        self, scene: Scene, wanted: Instructions, seed: int, frozen: Frozen | None = None
    ) -> SimulatedStudy:
        """The film of a given patient in a given pose.

        Args:
            scene: Patient, pose and exposure.
            wanted: What the film is to show.
            seed: Of the findings.
            frozen: Exposure and processing of another film of the scene; by default its own.
        """
        drawn, not_shown = self._sort(wanted.entities)
        paths, inserted, patient, nuisance = self._trace(scene, wanted, drawn, seed)
        made = self._develop(scene, paths, frozen)
        visible, faint = self._look(scene, made, paths)
        seen_masks = {e: mask for e, mask in visible.items() if e not in faint}
        kept = {thing: drawn[thing] for thing in drawn if thing in seen_masks}
        film = Film(
            image=self._finish(scene, made.image),
            masks={str(e): paths.masks[thing] for thing, es in kept.items() for e in es},
            visible={str(e): seen_masks[thing] for thing, es in kept.items() for e in es},
            shown=tuple(entity for members in kept.values() for entity in members),
            not_shown=(
                *not_shown,
                *((e, reason) for thing, reason in faint.items() for e in drawn[thing]),
            ),
            parameters={
                **scene.to_dict(),
                "patient": patient.to_dict(),
                "heart_ratio": paths.heart_ratio and round(paths.heart_ratio, 4),
                "silhouette_ratio": paths.silhouette_ratio and round(paths.silhouette_ratio, 4),
                "findings": {str(e): one.change.to_dict() for e, one in inserted.items()},
                "nuisance": nuisance.parameters,
                "population": self.options.population,
                "seed": seed,
            },
        )
        return SimulatedStudy(self, film, drawn, wanted, scene, seed, paths.silhouette_ratio, made)

    def retake(
        self, study: SimulatedStudy, findings: Sequence[Entity], held: bool = False
    ) -> tuple[Image, Mapping[Entity, Mask]]:
        """See :class:`~syncxr.images.simulation.study.Retaker`."""
        drawn = {entity: study.drawn.get(entity, (entity,)) for entity in findings}
        paths = self._trace(study.scene, study.instructions, drawn, study.seed).paths
        frozen = study.developed.held if held else study.developed.frozen
        made = self._develop(study.scene, paths, frozen)
        return self._finish(study.scene, made.image), paths.masks

    def _trace(
        self,
        scene: Scene,
        wanted: Instructions,
        drawn: Mapping[Entity, tuple[Entity, ...]],
        seed: int,
    ) -> _Traced:
        options = self.options
        body = load_body(options.resolution_mm, scene.patient.anatomy).fresh(
            scene.patient, wanted.denied, scene.supine
        )
        counts = {
            thing: max(said)
            for thing, members in drawn.items()
            if (said := [wanted.counts[e] for e in members if e in wanted.counts])
        }
        inserted = insert(body, list(drawn), seed, counts)
        nuisance = nuisance_of(scene, body, {e.concept for e in wanted.entities}, seed)
        with torch_threads(1), torch.inference_mode():
            paths = trace(
                scene,
                body,
                inserted,
                options.size,
                options.resolution_mm,
                options.device,
                nuisance.shapes,
            )
        inside = scene.borders.open(options.size)
        for mask in paths.masks.values():
            mask &= inside
        return _Traced(paths, inserted, body.patient, nuisance)

    def _develop(self, scene: Scene, paths: Paths, frozen: Frozen | None = None) -> Developed:
        size, pose = self.options.size, scene.pose
        air = fluence(pose, size)
        flatness = torch.from_numpy(air / air.max()).to(self.options.device)
        pixel_mm = pose.field / size
        with torch_threads(1), torch.inference_mode():
            return develop(
                paths.matter, scene.exposure, pixel_mm, scene.noise_seed, flatness, frozen
            )

    def _look(
        self, scene: Scene, made: Developed, paths: Paths
    ) -> tuple[dict[Entity, Mask], dict[Entity, str]]:
        """Where each finding is visible, and why some are not."""
        visible: dict[Entity, Mask] = {}
        faint: dict[Entity, str] = {}
        if not paths.added:
            return visible, faint
        noise = noise_level(made.image)
        inside = scene.borders.open(self.options.size)
        for entity, added in paths.added.items():
            with torch_threads(1), torch.inference_mode():
                film, own = (change.cpu().numpy() for change in made.change(added))
            visible[entity] = inside & visible_pixels(film, own)
            if entity in paths.shaping:
                # Ribs and vessels that moved aside are no part of the finding.
                visible[entity] &= ndimage.binary_dilation(paths.masks[entity], iterations=2)
            found, detail = seen(film, paths.masks[entity], noise, made.pixel_mm)
            if not found:
                faint[entity] = f"not visible on this film: {detail}"
        return visible, faint

    def _finish(self, scene: Scene, image: Image) -> Image:
        """Borders, markers, inversion."""
        made = scene.borders.draw(image)
        for marker in scene.markers:
            made = marker.draw(made)
        return 255 - made if scene.exposure.inverted else made

    def _sort(
        self, entities: Sequence[Entity]
    ) -> tuple[dict[Entity, tuple[Entity, ...]], tuple[tuple[Entity, str], ...]]:
        """What to draw, with the statements it stands for; statements not drawn, with reasons."""
        stated = dict.fromkeys(e for e in entities if e.polarity is not Polarity.ABSENT)
        reasons = {entity: self.refusal(entity) for entity in stated}
        order = list(FINDINGS)
        drawn = unite(entity for entity in stated if not reasons[entity])
        things = sorted(drawn, key=lambda e: (order.index(e.concept), str(e)))
        return (
            {thing: drawn[thing] for thing in things},
            tuple((entity, reason) for entity, reason in reasons.items() if reason),
        )
