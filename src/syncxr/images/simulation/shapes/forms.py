"""What can be put into a body besides tissue: forms and what they are made of.

Places are millimetres of the source body, so that a form moves with the patient; sizes are the
patient's own millimetres, so that a tube of 9 mm is one in every patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
"""(x, y, z) in the source body, mm."""


@dataclass(frozen=True)
class Material:
    """What a cubic centimetre of a form adds to what lies there; negative amounts take away.

    Attributes:
        water: Of water-like tissue, g/cm³.
        bone: Volume share of cortical bone.
        metal: Of iron, g/cm³; other metals and barium as the iron that attenuates alike.
    """

    water: float = 0.0
    bone: float = 0.0
    metal: float = 0.0


@dataclass(frozen=True)
class Ellipsoid:
    """A round thing.

    Attributes:
        centre: Where.
        radii: Half axes along x, y and z, mm.
        material: What it adds.
        turn: About the front-back axis, degrees; positive turns x towards z.
    """

    centre: Point
    radii: tuple[float, float, float]
    material: Material
    turn: float = 0.0


def sphere(centre: Point, radius: float, material: Material) -> Ellipsoid:
    """An ellipsoid of three equal half axes."""
    return Ellipsoid(centre, (radius, radius, radius), material)


@dataclass(frozen=True)
class Stripe:
    """A line along a tube's wall, as radiopaque markers are.

    Attributes:
        material: What it adds.
        width: Its radius over that of the tube.
        at: Where it lies across the tube, -1 (one edge) to 1 (the other).
    """

    material: Material
    width: float = 0.18
    at: float = 0.7


@dataclass(frozen=True, eq=False)
class Tube:
    """A tube, wire or catheter along a curve.

    Attributes:
        points: The curve, (N, 3), N >= 2; straight between them, so a few mm apart on bends.
        radius: Outer radius, mm, one or one a point.
        material: What its wall adds.
        lumen: Inner radius over the outer one; what lies there stays as it is.
        stripe: Marker in the wall.
    """

    points: NDArray[np.float32]
    radius: float | NDArray[np.float32]
    material: Material
    lumen: float = 0.0
    stripe: Stripe | None = None


@dataclass(frozen=True, eq=False)
class Plate:
    """A flat thing of any outline: the box of a pacemaker, an electrode.

    Attributes:
        centre: Where.
        outline: Corners round the centre in the plane, mm, (N, 2), N >= 3; x and z if the plate
            faces front and is not turned.
        thickness: mm.
        material: What it adds.
        facing: Normal (x, y, z) of the plane.
        turn: In the plane, degrees.
    """

    centre: Point
    outline: NDArray[np.float32]
    thickness: float
    material: Material
    facing: Point = (0.0, 1.0, 0.0)
    turn: float = 0.0


@dataclass(frozen=True, eq=False)
class Fold:
    """A layer across the beam, thickest along an edge and thinning away from it: a fold of skin.

    Attributes:
        edge: Where it ends abruptly, (N, 3), N >= 2; straight between, so a cm apart on bends.
        foot: For each of these points, where across the edge nothing is left of it, (N, 3).
        thickness: At the edge, mm, one a point; it falls as the square of the way to the foot.
        material: What it adds.
    """

    edge: NDArray[np.float32]
    foot: NDArray[np.float32]
    thickness: NDArray[np.float32]
    material: Material


Shape = Ellipsoid | Tube | Plate | Fold
