"""Other pictures of the same patients: any projection, any plane. Not for reports.

For whoever has to tell good frontal films from other pictures:

- :func:`project` - a film of a random patient in any pose: ``Pose(view="lateral")``, oblique by
  ``rotation`` up to ±60 degrees, ``tilt``, off-centre, any field, any :class:`Exposure`;
- :func:`slice_ct` - one CT slice in any plane of the cleaned volume, soft-tissue or lung window.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from scipy import ndimage

from syncxr.images.simulation.anatomy import Deformation, Population, landmarks_of, sample_patient
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.cutting import cut, geometry, stack
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.film.develop import develop
from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.frame import cross
from syncxr.images.simulation.projection import Pose, Slabs, cast, integrate
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Image, derive_seed
from syncxr.threads import torch_threads


@cache
def _channels(axis: int, resolution_mm: float, thickness: float) -> tuple[Slabs, torch.Tensor]:
    """Water and bone in slabs along y (1) or x (0)."""
    thorax = load_thorax(resolution_mm)
    parts = [cut(volume, thorax, axis, thickness) for volume in (thorax.water, thorax.bone)]
    return geometry(thorax, axis, thickness), stack(*parts)


def project(
    seed: int,
    pose: Pose,
    exposure: Exposure | None = None,
    size: int = 224,
    population: Population = "train",
    resolution_mm: float = 2.0,
) -> Image:
    """Film of a normal patient in any pose.

    Args:
        seed: Patient and noise.
        pose: View, angles, shifts, distance and field.
        exposure: How it is taken and developed.
        size: Height and width, pixels.
        population: Whom the patient is drawn from.
        resolution_mm: Voxel size of the body.

    Returns:
        The film, (size, size), bone bright.
    """
    patient = sample_patient(
        np.random.default_rng(derive_seed(str(seed), "patient", 0)), population
    )
    marks = landmarks_of(load_thorax(resolution_mm))
    rays = cast(pose, size)
    # Stack the slabs along the axis that the beam is most aligned with; oblique rays cross slabs
    # at an angle, so those are thin.
    axis = int(np.abs(rays.direction[size // 2, size // 2, :2]).argmax())
    slabs, channels = _channels(axis, resolution_mm, 4.0)
    with torch_threads(1), torch.inference_mode():
        _, where, lengths = cross(slabs, rays, Deformation.of(patient, marks))
        water, bone = integrate(slabs, channels, where, lengths)
        water = water + patient.soft_tissue * (water / 8.0).clamp(0.0, 1.0)
        matter = Matter(water, bone * patient.bone_density)
        pixel = pose.field / size
        noise = derive_seed(str(seed), "noise", 0)
        return develop(matter, exposure or Exposure(), pixel, noise).image


def slice_ct(
    position: float,
    plane: tuple[float, float] = (0.0, 0.0),
    window: tuple[float, float] = (-160.0, 240.0),
    size: int = 224,
    field: float = 360.0,
    resolution_mm: float = 2.0,
) -> Image:
    """A slice through the cleaned CT.

    Args:
        position: Offset along the plane's normal from the middle of the chest, mm.
        plane: Tilt from axial about the left-right axis and turn about the head-foot axis,
            degrees: (0, 0) axial, (90, 0) coronal, (90, 90) sagittal.
        window: HU that become black and white; ``(-1350, 150)`` is a lung window.
        size: Height and width, pixels.
        field: Height of the slice, mm.
        resolution_mm: Voxel size of the volume.

    Returns:
        The slice, (size, size); axial: patient's left on the right, front at the top.
    """
    thorax = load_thorax(resolution_mm)
    axis = ((np.arange(size) + 0.5) / size - 0.5) * field
    u, v = np.meshgrid(axis, -axis)
    tilt, turn = np.deg2rad(plane)
    # Rows run along y when axial and along z when upright.
    x = u
    y = v * np.cos(tilt) + position * np.sin(tilt)
    z = v * np.sin(tilt) + position * np.cos(tilt)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    index = [
        (value - start) / thorax.spacing
        for value, start in zip((y, z, x), _origin(thorax.origin), strict=True)
    ]
    water: Floats = ndimage.map_coordinates(thorax.water, index, order=1)
    bone: Floats = ndimage.map_coordinates(thorax.bone, index, order=1)
    hu = 1000.0 * (water - 1.0) + 2400.0 * bone
    grey = np.clip((hu - window[0]) / (window[1] - window[0]), 0.0, 1.0)
    return np.rint(255.0 * grey).astype(np.uint8)


def _origin(origin: tuple[float, float, float]) -> tuple[float, float, float]:
    """From (x, y, z) to the volume's order (y, z, x)."""
    return origin[1], origin[2], origin[0]


def oblique(pose: Pose, degrees: float) -> Pose:
    """The same pose, the patient turned by ``degrees`` more."""
    return replace(pose, rotation=pose.rotation + degrees)
