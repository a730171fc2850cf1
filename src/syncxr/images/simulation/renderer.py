"""The simulation as a renderer: from a report's words to a film with masks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from syncxr.images.renderer import Film, RenderRequest
from syncxr.images.simulation.anatomy import (
    Deformation,
    Patient,
    Population,
    sample_patient,
)
from syncxr.images.simulation.body import Body, load_body, stack
from syncxr.images.simulation.ct import Floats
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.film.develop import Frozen, develop
from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.findings import FINDINGS, Change, Sphere
from syncxr.images.simulation.projection import (
    Pose,
    Slabs,
    cast,
    integrate,
    intersections,
    merge,
)
from syncxr.images.simulation.reading import denials, read, unite
from syncxr.sample import Entity, Image, Mask, Polarity, derive_seed
from syncxr.threads import torch_threads


class SimulationOptions(BaseModel):
    """Options of the simulation.

    Attributes:
        size: Height and width of a film, pixels.
        population: ``"train"`` or ``"held_out"`` patients: the latter have at least one
            deformation parameter beyond what any training patient has.
        resolution_mm: Voxel size of the body; 2 mm is enough below 300 pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=224, ge=64, le=1024)
    population: Population = "train"
    resolution_mm: float = Field(default=2.0, ge=1.0, le=4.0)


@dataclass(frozen=True)
class Scene:
    """Everything that decides a film but its findings, all from one seed."""

    patient: Patient
    pose: Pose
    exposure: Exposure
    noise_seed: int

    @classmethod
    def sample(cls, seed: int, population: Population) -> Scene:
        """Draw patient, pose and exposure, each from a seed of its own."""

        def rng(stage: str) -> np.random.Generator:
            return np.random.default_rng(derive_seed(str(seed), stage, 0))

        patient = sample_patient(rng("patient"), population)
        return cls(
            patient,
            sample_pose(rng("pose"), patient),
            sample_exposure(rng("exposure")),
            derive_seed(str(seed), "noise", 0),
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "patient": self.patient.to_dict(),
            "pose": self.pose.to_dict(),
            "exposure": self.exposure.to_dict(),
        }


def sample_pose(rng: np.random.Generator, patient: Patient) -> Pose:
    """An upright PA film as radiographers take it: small errors of rotation, tilt and centring.

    The field is collimated to the patient, so that apices and costophrenic angles are in it.
    """
    magnification = 1.09
    wide = CHEST_MM[0] * patient.size * np.sqrt(patient.breadth) * magnification
    high = CHEST_MM[1] * patient.size / np.sqrt(patient.breadth) * magnification
    return Pose(
        rotation=float(np.clip(rng.normal(0.0, 2.0), -5.0, 5.0)),
        tilt=float(np.clip(rng.normal(0.0, 3.0), -7.0, 7.0)),
        roll=float(np.clip(rng.normal(0.0, 1.2), -3.0, 3.0)),
        shift_x=float(np.clip(rng.normal(0.0, 4.0), -8.0, 8.0)),
        shift_z=float(np.clip(rng.normal(-3.0, 5.0), -12.0, 8.0)),
        field=float(max(wide * rng.uniform(1.14, 1.32), high * rng.uniform(1.12, 1.25))),
    )


CHEST_MM = (250.0, 245.0)
"""Of the source: inner width of the rib cage; apices to costophrenic angles."""


def sample_exposure(rng: np.random.Generator) -> Exposure:
    """Beam, scatter, dose and processing within what departments use."""
    return Exposure(
        hardness=float(rng.uniform(0.0, 0.8)),
        scatter=float(rng.uniform(0.15, 0.5)),
        dose=float(np.exp(rng.uniform(np.log(8000.0), np.log(60000.0)))),
        blur=float(rng.uniform(0.2, 0.7)),
        black=float(rng.uniform(0.3, 3.0)),
        white=float(rng.uniform(97.5, 99.8)),
        gamma=float(rng.uniform(0.85, 1.3)),
        detail=float(rng.uniform(0.6, 1.4)),
        detail_mm=float(rng.uniform(5.0, 14.0)),
        equalise=float(rng.uniform(0.25, 0.6)),
    )


@dataclass(frozen=True)
class Paths:
    """What the rays met.

    Attributes:
        water: g/cm², (H, W).
        bone: cm, (H, W).
        changed: Finding to its path through changed tissue, cm, (H, W).
        parameters: Finding (``str(entity)``) to what was sampled for it.
        patient: As the findings made it.
        heart_shown: Cardiothoracic ratio measured on the projected heart and lungs.
        masks: Finding to the mask of its changed tissue.
    """

    water: Floats
    bone: Floats
    changed: dict[Entity, Floats]
    parameters: dict[str, Any]
    patient: Patient
    heart_shown: float
    masks: dict[Entity, Mask]


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
        return [self.render_entities(read(request.text), request.seed) for request in requests]

    def render_entities(self, entities: Sequence[Entity], seed: int) -> Film:
        """A film of what is stated.

        Args:
            entities: Statements of any polarity; only positive findings are drawn.
            seed: Decides everything the statements leave open.
        """
        return self._study(entities, seed).film

    def study(self, request: RenderRequest) -> SimulatedStudy:
        """The film of ``request`` with its counterfactuals, for measuring."""
        return self._study(read(request.text), request.seed)

    def _study(self, entities: Sequence[Entity], seed: int) -> SimulatedStudy:
        drawn, not_shown = self._sort(entities)
        scene = Scene.sample(seed, self.options.population)
        denied = denials(entities)
        paths = self.trace(scene, list(drawn), seed, denied)
        image, frozen = self.develop(scene, paths)
        film = Film(
            image=image,
            masks={
                str(entity): paths.masks[thing]
                for thing, members in drawn.items()
                for entity in members
            },
            shown=tuple(entity for members in drawn.values() for entity in members),
            not_shown=not_shown,
            parameters={
                **scene.to_dict(),
                "heart_ratio": round(paths.heart_shown, 4),
                "findings": paths.parameters,
                "population": self.options.population,
                "seed": seed,
            },
        )
        return SimulatedStudy(self, film, drawn, scene, seed, denied, paths.heart_shown, frozen)

    def develop(
        self, scene: Scene, paths: Paths, frozen: Frozen | None = None
    ) -> tuple[Image, Frozen]:
        """The film of a scene's paths."""
        pixel = scene.pose.field / self.options.size
        matter = Matter(torch.from_numpy(paths.water), torch.from_numpy(paths.bone))
        with torch_threads(1), torch.inference_mode():
            made = develop(matter, scene.exposure, pixel, scene.noise_seed, frozen=frozen)
        return made.image, made.frozen

    def trace(
        self,
        scene: Scene,
        findings: Sequence[Entity],
        seed: int,
        denied: frozenset[str] = frozenset(),
    ) -> Paths:
        """Make the patient, insert the findings, follow the rays."""
        body = load_body(self.options.resolution_mm).fresh(scene.patient, denied)
        changes = _insert(body, findings, seed)
        patient = body.patient
        deformation = Deformation(patient, body.marks, patient.heart_ratio)
        extents = {e: c.extent for e, c in changes.items() if c.extent is not None}
        with torch_threads(1), torch.inference_mode():
            where, lengths = intersections(
                body.slabs, cast(scene.pose, self.options.size), deformation
            )
            lungs = body.lungs["left"] + body.lungs["right"]
            sums = integrate(body.slabs, stack(body.water, body.bone), where, lengths)
            shapes = stack(body.heart, lungs, *extents.values())
            coarse, shapes, between = merge(body.slabs, shapes, where)
            shadows = integrate(coarse, shapes, between, 2.0 * lengths)
            added = {
                e: _spheres(body.slabs, where, c.shapes) for e, c in changes.items() if c.shapes
            }
        water, bone = sums[0] * patient.depth, sums[1] * patient.depth
        changed = dict(zip(extents, shadows[2:], strict=True))
        for entity, (path, mass) in added.items():
            water += mass
            changed[entity] = path
        water += _surface(patient, scene.pose, self.options.size, water)
        masks = {e: path > changes[e].least_path for e, path in changed.items()}
        parameters = {str(e): c.parameters for e, c in changes.items()}
        return Paths(
            water=water,
            bone=bone * patient.bone_density,
            changed=changed,
            parameters=parameters,
            patient=patient,
            heart_shown=_width(shadows[0]) / max(_width(shadows[1]), 1),
            masks=masks,
        )

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


@dataclass(frozen=True)
class SimulatedStudy:
    """A film that can be taken again without a finding, everything else frozen.

    Attributes:
        renderer: What took it.
        film: As rendered.
        drawn: Things drawn to the statements that each stands for.
        scene: Patient, pose and exposure.
        seed: Of the request.
        denied: Concepts that the text denies.
        heart_ratio: Cardiothoracic ratio on the film.
        frozen: What the film's exposure and processing made of its content.
    """

    renderer: SimulationRenderer
    film: Film
    drawn: dict[Entity, tuple[Entity, ...]]
    scene: Scene
    seed: int
    denied: frozenset[str]
    heart_ratio: float
    frozen: Frozen

    @property
    def pixel_mm(self) -> float:
        """Pixel size at the detector."""
        return self.scene.pose.field / self.renderer.options.size

    def without(self, entities: Collection[Entity]) -> Image:
        """The same film, all findings but these drawn."""
        gone = set(entities)
        rest = [thing for thing, members in self.drawn.items() if gone.isdisjoint(members)]
        paths = self.renderer.trace(self.scene, rest, self.seed, self.denied)
        return self.renderer.develop(self.scene, paths, self.frozen)[0]

    def imagine(self, entity: Entity) -> tuple[Image, Mask]:
        """The same patient with this finding alone, and its mask."""
        paths = self.renderer.trace(self.scene, [entity], self.seed)
        image, _ = self.renderer.develop(self.scene, paths, self.frozen)
        return image, paths.masks[entity]


def _width(path: Floats) -> int:
    """Greatest width of a shadow of at least 1 cm path, pixels."""
    columns = np.flatnonzero((path > 1.0).any(0))
    return int(columns[-1] - columns[0] + 1) if len(columns) else 0


def _insert(body: Body, findings: Sequence[Entity], seed: int) -> dict[Entity, Change]:
    """Put every finding into the body, each from a seed of its own; changes ``body.patient``."""
    lung = body.lungs["left"] + body.lungs["right"]
    body.water += (body.patient.markings - 1.0) * lung * (body.water - 0.12).clip(0.0, 0.3)
    changes = {}
    for entity in findings:
        # Concept and side only: a change of severity then keeps place and shape.
        stage = f"finding {entity.concept} {entity.location}"
        rng = np.random.default_rng(derive_seed(str(seed), stage, 0))
        change = FINDINGS[entity.concept].insert(body, entity, rng)
        body.patient = replace(body.patient, **change.patient)
        changes[entity] = change
    return changes


def _spheres(slabs: Slabs, where: torch.Tensor, spheres: Sequence[Sphere]) -> tuple[Floats, Floats]:
    """Path through spheres, cm, and its mass, g/cm², both (H, W)."""
    path = np.zeros(where.shape[1:3], np.float32)
    mass = np.zeros_like(path)
    for sphere in spheres:
        slab = int(np.argmin(np.abs(slabs.centres - sphere.centre[1])))
        at = where[slab].numpy()
        radius = float(np.mean(sphere.radii))
        q = ((at[..., 0] - sphere.centre[0]) / sphere.radii[0]) ** 2
        q += ((at[..., 1] - sphere.centre[2]) / sphere.radii[1]) ** 2
        chord = 2.0 * radius * np.sqrt(np.clip(1.0 - q, 0.0, None)) / 10.0
        path += chord
        mass += chord * sphere.density
    return path, mass


def _surface(patient: Patient, pose: Pose, size: int, water: Floats) -> Floats:
    """Soft tissue before the ribs: a layer that ends with the body, and breasts. g/cm², (H, W)."""
    layer: Floats = np.float32(patient.soft_tissue) * np.clip(water / 8.0, 0.0, 1.0)
    if patient.breasts > 0:
        layer = layer + _breasts(patient, pose, size)
    return layer


def _breasts(patient: Patient, pose: Pose, size: int) -> Floats:
    """Two breasts with a sharp lower fold; the upper slope runs out into the chest. g/cm²."""
    axis = ((np.arange(size) + 0.5) / size - 0.5) * pose.field / patient.size
    x, z = np.meshgrid(axis - pose.shift_x, -axis - pose.shift_z)
    radius = patient.breast_size
    layer = np.zeros_like(x)
    for side in (-1.0, 1.0):
        dx = (x - side * 82.0) / radius
        dz = (z + 35.0) / np.where(z < -35.0, 0.8 * radius, 1.5 * radius)
        layer += patient.breasts * np.clip(1.0 - dx**2 - dz**2, 0.0, None) ** 0.75
    breasts: Floats = layer.astype(np.float32)
    return breasts
