"""Following the rays: through the body, through what findings changed, through small things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body, stack
from syncxr.images.simulation.ct import Floats
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.frame import Frame, frame_of
from syncxr.images.simulation.insertion import Inserted, patient_without
from syncxr.images.simulation.projection import (
    Pose,
    Rays,
    Slabs,
    cast,
    column_of,
    frontal,
    integrate,
    integrate_changes,
    intersections,
)
from syncxr.images.simulation.scene import Scene
from syncxr.images.simulation.shapes import project
from syncxr.images.simulation.surface import surface
from syncxr.images.simulation.vessels.projecting import lay, project_vessels
from syncxr.sample import Entity, Mask


@dataclass(frozen=True)
class Paths:
    """What the rays met.

    Attributes:
        matter: Along every ray.
        added: Finding to what it put there: ``matter.less(added[finding])`` is left without it, but
            for what findings do to each other beyond replacing tissue.
        shaping: Findings that changed the patient as a whole: they move tissue beyond their masks.
        masks: Finding to where the ray passes through more of its changed tissue than the least
            path that the finding states.
        heart_ratio: Cardiothoracic ratio measured on the projected heart and lungs; ``None``
            in a lateral view.
    """

    matter: Matter
    added: dict[Entity, Matter]
    masks: dict[Entity, Mask]
    shaping: frozenset[Entity]
    heart_ratio: float | None


def trace(
    scene: Scene,
    body: Body,
    inserted: Mapping[Entity, Inserted],
    size: int,
    resolution_mm: float,
    device: str = "cpu",
) -> Paths:
    """Follow the rays of a film through a body with its findings.

    Args:
        scene: Pose of the film, and the patient as sampled.
        body: With the findings in it.
        inserted: What was put in.
        size: Of the film, pixels.
        resolution_mm: Of the body.
        device: Where the rays are followed.
    """
    patient, pose = body.patient, scene.pose
    frame, water, bone = frame_of(body, resolution_mm, pose.view == "lateral")
    rays = cast(pose, size)
    deformation = Deformation.of(patient, body.marks, partial(column_of, frontal(pose)))
    where, lengths = intersections(frame.slabs, rays, deformation, device=device)
    lengths = lengths * _stretch(patient, frame)
    path = integrate(frame.slabs, stack(water, bone).to(device), where, lengths)
    matter = Matter(path[0], path[1] * patient.bone_density)
    tree = lay(resolution_mm, patient.vessels, patient.anatomy)
    vessels = project_vessels(tree, body, frame.slabs, where, rays, pose.field / size)
    matter = matter._replace(water=matter.water + patient.markings * vessels)
    matter = matter._replace(water=matter.water + surface(patient, pose, size, matter.water))
    added: dict[Entity, Matter] = {}
    masks: dict[Entity, Mask] = {}
    moved = _moved(scene, frame, water, bone, inserted, size, body)
    for entity, one in inserted.items():
        changed, own = _cells(one, patient, frame, where, lengths)
        if one.change.shapes:
            small = project(one.change.shapes, frame.slabs, where, rays)
            changed = changed + small.path
            put = Matter(small.water, small.bone * patient.bone_density, small.metal)
            matter, own = _sum(matter, put), _sum(own, put)
        if entity in moved:
            own = _sum(own, moved[entity])
        added[entity] = own
        masks[entity] = (changed > one.change.least_path).cpu().numpy()
    ratio = None if frame.lateral else _heart_ratio(body, where, lengths)
    return Paths(matter, added, masks, frozenset(moved), ratio)


def _stretch(patient: Patient, frame: Frame) -> float:
    """Length along the beam in the patient over that in the source."""
    return float(np.sqrt(patient.breadth)) if frame.lateral else patient.depth


def _cells(
    one: Inserted, patient: Patient, frame: Frame, where: Tensor, lengths: Tensor
) -> tuple[Tensor, Matter]:
    """Path through the cells that a finding changed, cm, and what it added to them."""
    nothing = torch.zeros_like(lengths)
    volumes = {"extent": one.change.extent, "water": one.water, "bone": one.bone}
    there = {name: frame.turned(v) for name, v in volumes.items() if v is not None}
    if not there:
        return nothing, Matter(nothing, nothing)
    sums = integrate_changes(frame.cells, list(there.values()), where, lengths)
    found = dict(zip(there, sums, strict=True))
    bone = found.get("bone", nothing) * patient.bone_density
    return found.get("extent", nothing), Matter(found.get("water", nothing), bone)


def _sum(a: Matter, b: Matter) -> Matter:
    """Both together."""
    metal = b.metal if a.metal is None else a.metal if b.metal is None else a.metal + b.metal
    return Matter(a.water + b.water, a.bone + b.bone, metal)


_SHRUNK = 2
"""Pixels, a side, that share a ray where only differences between two patients are wanted."""


def _moved(
    scene: Scene,
    frame: Frame,
    water: Floats,
    bone: Floats,
    inserted: Mapping[Entity, Inserted],
    size: int,
    body: Body,
) -> dict[Entity, Matter]:
    """What findings that change the patient as a whole add to each ray, by moving tissue.

    Every such finding is taken out once, on a film of half the size and half the depth's fineness.
    """
    shaping = [entity for entity, one in inserted.items() if one.change.patient]
    if not shaping:
        return {}
    halved = Slabs(
        frame.slabs.axis,
        frame.slabs.centres[: len(frame.slabs.centres) // 2 * 2].reshape(-1, 2).mean(1),
        2.0 * frame.slabs.thickness,
        frame.slabs.rows,
        frame.slabs.columns,
    )
    count = 2 * len(halved.centres)
    channels = stack(*(0.5 * (volume[0:count:2] + volume[1:count:2]) for volume in (water, bone)))
    rays = cast(scene.pose, size // _SHRUNK)

    def film(patient: Patient) -> Matter:
        return _coarse(patient, body, frame, halved, channels, rays, scene.pose)

    whole = film(body.patient)
    made = {}
    for entity in shaping:
        rest = film(patient_without(scene.patient, inserted, entity))
        made[entity] = Matter(
            _enlarged(whole.water - rest.water, size), _enlarged(whole.bone - rest.bone, size)
        )
    return made


def _coarse(
    patient: Patient,
    body: Body,
    frame: Frame,
    slabs: Slabs,
    channels: Tensor,
    rays: Rays,
    pose: Pose,
) -> Matter:
    """Matter along the rays of a small film."""
    deformation = Deformation.of(patient, body.marks, partial(column_of, frontal(pose)))
    where, lengths = intersections(slabs, rays, deformation, nodes=17)
    lengths = lengths * _stretch(patient, frame)
    path = integrate(slabs, channels, where, lengths)
    water = path[0] + surface(patient, pose, path.shape[1], path[0])
    return Matter(water, path[1] * patient.bone_density)


def _enlarged(small: Tensor, size: int) -> Tensor:
    """A small film's sums at full size."""
    large = torch.nn.functional.interpolate(
        small[None, None], size=(size, size), mode="bilinear", align_corners=False
    )
    return large[0, 0]


def _heart_ratio(body: Body, where: Tensor, lengths: Tensor) -> float:
    """Greatest width of the heart's shadow over that of the lungs', on the film."""
    lungs = body.lungs["left"] + body.lungs["right"]
    # Widths run along the columns; every second row will do.
    sums = integrate_changes(body.slabs, (body.heart, lungs), where[:, ::2], lengths[::2])
    return _width(sums[0]) / max(_width(sums[1]), 1)


def _width(path: Tensor) -> int:
    """Width of a shadow of at least 1 cm path, pixels."""
    columns = (path > 1.0).any(0).nonzero()
    return int(columns[-1] - columns[0]) + 1 if len(columns) else 0
