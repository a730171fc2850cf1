"""What findings that change the patient as a whole do to every ray, by moving tissue.

An enlarged heart or a raised diaphragm adds nothing to the body's cells: it brings tissue to where
other tissue was. Every such finding is taken out once, on a film of half the size and half the
depth's fineness; the difference between the two is smooth enough for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.frame import Frame, cross
from syncxr.images.simulation.parts import paired
from syncxr.images.simulation.projection import Pose, cast, column_of, frontal, integrate
from syncxr.images.simulation.surface import surface
from syncxr.sample import Entity

_SHRUNK = 2
"""Pixels, a side, that share a ray."""

_NODES = 17
"""Nodes a side on which the deformation is worked out."""


def moved_tissue(
    without: Mapping[Entity, Patient],
    body: Body,
    frame: Frame,
    channels: Tensor,
    pose: Pose,
    size: int,
    deformation: Deformation,
) -> dict[Entity, Matter]:
    """What each finding adds to the rays of a film.

    Args:
        without: Finding to the patient as it would be without it.
        body: With all findings in it.
        frame: How it is looked at.
        channels: Its water and bone in the frame's slabs, (K, 2, R, C).
        pose: Of the view.
        size: Of the film, pixels.
        deformation: Of the patient with all findings.
    """
    if not without:
        return {}
    even = len(channels) // 2 * 2
    centres = frame.slabs.centres[:even].reshape(-1, 2).mean(1)
    slabs = replace(frame.slabs, centres=centres, thickness=2.0 * frame.slabs.thickness)
    halved = paired(channels[:even])
    rays = cast(pose, size // _SHRUNK)

    def film(patient: Patient, deformation: Deformation) -> Matter:
        crossed = cross(slabs, rays, deformation, _NODES, channels.device)
        path = integrate(crossed.slabs, halved, crossed.where, crossed.lengths)
        water = path[0] + surface(patient, pose, path.shape[1], path[0])
        return Matter(water, path[1] * patient.bone_density)

    whole = film(body.patient, deformation)
    made = {}
    for entity, patient in without.items():
        column = partial(column_of, frontal(pose))
        rest = film(patient, Deformation.of(patient, body.marks, column))
        change = torch.stack([whole.water - rest.water, whole.bone - rest.bone])
        large = functional.interpolate(
            change[None], size=(size, size), mode="bilinear", align_corners=False
        )
        made[entity] = Matter(large[0, 0], large[0, 1])
    return made
