"""Small and thin things by analytic path length: nodules, tubes, wires, flat devices, folds.

In: forms at places of the source body, a view's rays. Out: what they add along every ray.
Must not know: findings, films.
"""

from syncxr.images.simulation.shapes.forms import (
    Ellipsoid,
    Fold,
    Material,
    Plate,
    Shape,
    Stripe,
    Tube,
    sphere,
)
from syncxr.images.simulation.shapes.projecting import Projected, project

__all__ = [
    "Ellipsoid",
    "Fold",
    "Material",
    "Plate",
    "Projected",
    "Shape",
    "Stripe",
    "Tube",
    "project",
    "sphere",
]
