"""Following the rays: through the body, through what findings changed, through small things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body, load_body
from syncxr.images.simulation.cutting import stack
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.frame import Frame, cross, frame_of
from syncxr.images.simulation.girdle import turned_blades
from syncxr.images.simulation.insertion import Inserted, patients_without
from syncxr.images.simulation.moving import moved_tissue
from syncxr.images.simulation.parts import Part
from syncxr.images.simulation.projection import cast, column_of, frontal, integrate
from syncxr.images.simulation.scene import Scene
from syncxr.images.simulation.shapes import Shape, project
from syncxr.images.simulation.surface import surface
from syncxr.images.simulation.vessels.projecting import Seen, lay
from syncxr.sample import Entity, Mask


@dataclass(frozen=True)
class Paths:
    """What the rays met.

    Attributes:
        matter: Along every ray.
        added: Finding to what it put there: ``matter.less(added[finding])`` is left without it, but
            for what findings do to each other beyond replacing tissue.
        shaping: Findings that move tissue beyond their masks, as those that change the patient do.
        masks: Finding to where the ray passes through more of its changed tissue than the least
            path that the finding states.
        heart_ratio: Cardiothoracic ratio measured on the projected heart and lungs; ``None``
            in a lateral view.
        silhouette_ratio: The same of the cardiac shadow, which fluid round the heart is part of.
    """

    matter: Matter
    added: dict[Entity, Matter]
    masks: dict[Entity, Mask]
    shaping: frozenset[Entity]
    heart_ratio: float | None
    silhouette_ratio: float | None


def trace(
    scene: Scene,
    body: Body,
    inserted: Mapping[Entity, Inserted],
    size: int,
    resolution_mm: float,
    device: str = "cpu",
    unasked: Sequence[Shape] = (),
) -> Paths:
    """Follow the rays of a film through a body with its findings.

    Args:
        scene: Pose of the film, and the patient as sampled.
        body: With the findings in it.
        inserted: What was put in.
        size: Of the film, pixels.
        resolution_mm: Of the body.
        device: Where the rays are followed.
        unasked: What else is in the way and belongs to no finding.
    """
    patient, pose = body.patient, scene.pose
    frame, water, bone = frame_of(body, resolution_mm, pose.view == "lateral")
    rays = cast(pose, size)
    deformation = Deformation.of(patient, body.marks, partial(column_of, frontal(pose)))
    slabs, where, lengths = cross(frame.slabs, rays, deformation, device=device)
    channels = stack(water, bone).to(device)
    path = integrate(slabs, channels, where, lengths)
    matter = Matter(path[0], path[1] * patient.bone_density)
    tree = lay(resolution_mm, patient.vessels, patient.anatomy)
    vessels = Seen.of(tree, slabs, where, rays, pose.field / size)
    matter = matter._replace(water=matter.water + patient.markings * vessels.project(body))
    if not frame.lateral:
        matter = _sum(matter, turned_blades(patient, where, lengths, resolution_mm))
    matter = matter._replace(water=matter.water + surface(patient, pose, size, matter.water))
    if unasked:
        there = project(unasked, slabs, where, rays)
        matter = _sum(matter, Matter(there.water, there.bone, there.metal))
    added: dict[Entity, Matter] = {}
    masks: dict[Entity, Mask] = {}
    patients = patients_without(scene.patient, inserted)
    moved = moved_tissue(patients, body, frame, channels, pose, size, deformation)
    for entity, one in inserted.items():
        changed, own = _cells(one, patient, frame, where, lengths)
        if one.change.shapes:
            small = project(one.change.shapes, slabs, where, rays)
            changed = changed + small.path
            put = Matter(small.water, small.bone * patient.bone_density, small.metal)
            matter, own = _sum(matter, put), _sum(own, put)
        drowned = vessels.change(body, one.water, one.perfusion)
        if drowned is not None:
            own = own._replace(water=own.water + patient.markings * drowned)
        if entity in moved:
            own = _sum(own, moved[entity])
        added[entity] = own
        masks[entity] = (changed > one.change.least_path).cpu().numpy()
    ratio = silhouette = None
    if not frame.lateral:
        plain = _heart_and_lungs(resolution_mm, patient.anatomy)
        ratio = silhouette = _heart_ratio(plain, where, lengths)
        if body.pericardium is not None:
            silhouette = _heart_ratio(_shadow_of(body), where, lengths)
    shaping = frozenset(moved) | {e for e, one in inserted.items() if one.change.moves}
    return Paths(matter, added, masks, shaping, ratio, silhouette)


def _cells(
    one: Inserted, patient: Patient, frame: Frame, where: Tensor, lengths: Tensor
) -> tuple[Tensor, Matter]:
    """Path through the cells that a finding changed, cm, and what it added to them."""
    nothing = torch.zeros_like(lengths)
    volumes = {"extent": one.change.extent, "water": one.water, "bone": one.bone}
    there = {name: frame.turned(v) for name, v in volumes.items() if v is not None}
    if not there:
        return nothing, Matter(nothing, nothing)
    part = Part.of(frame.cells, list(there.values()))
    found = dict(zip(there, part.integrate(where, lengths), strict=True)) if part else {}
    bone = found.get("bone", nothing) * patient.bone_density
    return found.get("extent", nothing), Matter(found.get("water", nothing), bone)


def _sum(a: Matter, b: Matter) -> Matter:
    """Both together."""
    metal = b.metal if a.metal is None else a.metal if b.metal is None else a.metal + b.metal
    return Matter(a.water + b.water, a.bone + b.bone, metal)


def _heart_ratio(part: Part, where: Tensor, lengths: Tensor) -> float:
    """Greatest width of the heart's shadow over that of the lungs', on the film."""
    # Widths run along the columns; every third row will do.
    sums = part.integrate(where[:, ::3], lengths[::3])
    return _width(sums[0]) / max(_width(sums[1]), 1)


@lru_cache(maxsize=6)
def _heart_and_lungs(resolution_mm: float, anatomy: str) -> Part:
    """Of a source body: what findings do does not change where its heart and lungs are."""
    return _shadow_of(load_body(resolution_mm, anatomy))


def _shadow_of(body: Body) -> Part:
    """Heart with the fluid round it, and lungs as they were."""
    heart = body.heart if body.pericardium is None else body.heart + body.pericardium
    part = Part.of(body.slabs, (heart, body.lungs["left"] + body.lungs["right"]))
    assert part is not None, "a body has a heart and lungs"
    return part


def _width(path: Tensor) -> int:
    """Width of a shadow of at least 1 cm path, pixels."""
    columns = (path > 1.0).any(0).nonzero()
    return int(columns[-1] - columns[0]) + 1 if len(columns) else 0
