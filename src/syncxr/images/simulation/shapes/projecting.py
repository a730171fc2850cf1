"""What shapes add along every ray."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from syncxr.images.simulation.projection import Rays, Slabs
from syncxr.images.simulation.shapes.ellipsoids import add_ellipsoids
from syncxr.images.simulation.shapes.folds import add_folds
from syncxr.images.simulation.shapes.forms import Ellipsoid, Fold, Plate, Shape, Tube
from syncxr.images.simulation.shapes.placing import View
from syncxr.images.simulation.shapes.plates import add_plates
from syncxr.images.simulation.shapes.tubes import add_tubes


class Projected(NamedTuple):
    """Sums over all shapes, each (H, W), averaged over the pixel.

    Attributes:
        path: Length within any of them, cm: what masks are made of.
        water: Water-like mass added, g/cm².
        bone: Cortical bone added, cm.
        metal: Mass of metal, as iron, g/cm².
    """

    path: Tensor
    water: Tensor
    bone: Tensor
    metal: Tensor


def project(shapes: Sequence[Shape], slabs: Slabs, where: Tensor, rays: Rays) -> Projected:
    """Path lengths through shapes, each averaged over its pixel.

    Args:
        shapes: In source-body millimetres.
        slabs: Geometry of the source body, where it lies in the patient.
        where: Crossings, from :func:`~syncxr.images.simulation.projection.intersections`; shapes
            move with the deformation that it holds, and results are on its device.
        rays: Of the view.
    """
    total = torch.zeros((4, *where.shape[1:3]), dtype=torch.float64, device=where.device)
    view = View.of(slabs, where, rays)
    add_ellipsoids(total, view, [shape for shape in shapes if isinstance(shape, Ellipsoid)])
    add_tubes(total, view, [shape for shape in shapes if isinstance(shape, Tube)])
    add_plates(total, view, [shape for shape in shapes if isinstance(shape, Plate)])
    add_folds(total, view, [shape for shape in shapes if isinstance(shape, Fold)])
    return Projected(*total.to(where.dtype))
