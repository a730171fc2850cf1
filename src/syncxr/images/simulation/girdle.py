"""Where the arms hold the shoulder blades: turned out of the lung fields, or over them.

The blade slides on the rib cage about its joint with the collar bone. Hands on the hips and
shoulders rolled forward, as for a PA film, bring its lower angle outwards; arms beside the body, as
in bed, let it swing inwards over the lung (Merrill's Atlas, chest; Gray's Anatomy, 42nd ed., ch.
48). Ribs, lungs and all else stay where they are: the blade alone is turned, as a rigid body in the
frontal plane, so that nothing folds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.anatomy import Landmarks, Patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.cutting import cut, geometry
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.parts import Part
from syncxr.images.simulation.thorax import Structure, Thorax
from syncxr.sample import Mask

_MUSCLE = 1.04
"""What takes the place of bone that is turned away, and gives way to it, g/cm³."""

_PIVOT = (146.0, -6.0)
"""Joint with the collar bone: outwards from the midline, above the apices, mm; of a chest of
250 mm, as all below."""

_HEAD = (160.0, 0.0, -32.0)
"""Middle of the humerus' head, the same way with depth."""

_SHAFT = ((-32.0, -60.0, -140.0, -250.0), (160.0, 168.0, 188.0, 206.0))
"""Heights of the humerus, falling, and how far out it is there."""

_ARM = 29.0
"""Around the humerus, mm: bone within is the arm's."""


@dataclass(frozen=True)
class Blade:
    """One shoulder blade.

    Attributes:
        sign: 1 of the left one, -1 of the right one, in the source.
        pivot: x and z that it turns about, mm.
        part: Share of cortical bone in the slabs ``deep``.
        deep: Slabs of the body.
    """

    sign: float
    pivot: tuple[float, float]
    part: Part
    deep: slice


def turned_blades(patient: Patient, where: Tensor, lengths: Tensor, resolution_mm: float) -> Matter:
    """What turning the blades adds to every ray of a frontal film, and takes away.

    Args:
        patient: Whose arms; ``scapulae`` degrees.
        where: Crossings of the rays with the body's slabs, (K, H, W, 2).
        lengths: Of a ray within a slab, mm, (H, W).
        resolution_mm: Of the body.
    """
    change = torch.zeros_like(lengths)
    for blade in _blades(resolution_mm, patient.anatomy) if patient.scapulae else ():
        here = where[blade.deep]
        angle = np.deg2rad(patient.scapulae)
        cosine, sine = float(np.cos(angle)), blade.sign * float(np.sin(angle))
        dx, dz = here[..., 0] - blade.pivot[0], here[..., 1] - blade.pivot[1]
        back = torch.stack(
            [blade.pivot[0] + cosine * dx - sine * dz, blade.pivot[1] + sine * dx + cosine * dz],
            dim=-1,
        )
        change += (blade.part.integrate(back, lengths) - blade.part.integrate(here, lengths))[0]
    return Matter(-_MUSCLE * change, change * patient.bone_density)


@lru_cache(maxsize=6)
def _blades(resolution_mm: float, anatomy: str) -> tuple[Blade, ...]:
    """Both of a source body; none where its scan held none."""
    thorax, slabs = load_thorax(resolution_mm, anatomy), load_body(resolution_mm, anatomy).slabs
    marks = load_body(resolution_mm, anatomy).marks
    scale = marks.thorax_width / 250.0
    whole = cut(thorax.bone * scapulae_of(thorax, marks), thorax, 1, slabs.thickness)
    # The body's slabs begin where there is something in them.
    every = geometry(thorax, 1, slabs.thickness).centres
    whole = whole[np.searchsorted(every, slabs.centres - 0.1)]
    made = []
    for sign in (1.0, -1.0):
        own = whole * (sign * slabs.columns > 0)
        found = np.flatnonzero(own.any((1, 2)))
        if not len(found):
            continue
        deep = slice(int(found[0]), int(found[-1]) + 1)
        part = Part.of(replace(slabs, centres=slabs.centres[deep]), [own[deep]])
        assert part is not None, "it is not empty"
        pivot = (sign * scale * _PIVOT[0], marks.apex + scale * _PIVOT[1])
        made.append(Blade(sign, pivot, part, deep))
    return tuple(made)


def scapulae_of(thorax: Thorax, marks: Landmarks) -> Mask:
    """Bone of the girdle that is neither collar bone nor upper arm, (Y, Z, X)."""
    scale = marks.thorax_width / 250.0
    x, y, z = (thorax.axis(name) / scale for name in "xyz")
    x, y = np.abs(x)[None, None, :], y[:, None, None]
    z = (z - marks.apex / scale)[None, :, None]
    out = np.interp(-z, -np.array(_SHAFT[0]), _SHAFT[1])
    above = np.maximum(z - _HEAD[2], 0.0)
    arm = (x - out) ** 2 + (y - _HEAD[1]) ** 2 + above**2 < _ARM**2
    collar = (z > -14.0) | ((y > 5.0) & (z > -60.0))
    blade: Mask = thorax.mask(Structure.SHOULDER, Structure.SCAPULA) & ~arm & ~collar & (z > -190.0)
    return blade
