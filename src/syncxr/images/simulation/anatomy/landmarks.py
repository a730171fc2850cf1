"""Places in a source body that deformations refer to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from syncxr.images.simulation.thorax import LEFT_LUNG, LUNGS, RIGHT_LUNG, Floats, Structure, Thorax

Point = tuple[float, float, float]


def _nowhere() -> Floats:
    return np.zeros((0, 3), np.float32)


@dataclass(frozen=True)
class Landmarks:
    """Places in the source body, mm.

    Attributes:
        heart: Point the heart grows from (x, y, z): behind its right border.
        heart_reach: Heart border from there to the left, right, front and foot.
        heart_width: Greatest width of the heart in a frontal view.
        thorax_width: Greatest inner width of the rib cage in a frontal view.
        dome: Height z of the diaphragm's domes.
        apex: Height z of the lungs' apices.
        foot: Lowest z of the lungs.
        back: Hindmost y of the lungs.
        front: Foremost y of the lungs.
        carina: Where the trachea ends (x, y, z).
        heart_edge: Where rays from the front graze the heart, left and right, (N, 3).
        lung_edge: The same of both lungs.
        aorta: Centre line of the aorta from its root over the arch to the diaphragm, (x, y, z).
    """

    heart: Point
    heart_reach: tuple[float, float, float, float]
    heart_width: float
    thorax_width: float
    dome: float
    apex: float
    foot: float
    back: float
    front: float
    carina: Point = (0.0, -10.0, 30.0)
    aorta: tuple[Point, ...] = ((-12.0, 20.0, 20.0), (5.0, 0.0, 65.0), (18.0, -45.0, 20.0))
    heart_edge: Floats = field(default_factory=_nowhere, compare=False, repr=False)
    lung_edge: Floats = field(default_factory=_nowhere, compare=False, repr=False)

    @property
    def half_width(self) -> float:
        """Half of the rib cage's inner width, mm."""
        return self.thorax_width / 2

    @property
    def middle(self) -> float:
        """Middle of the chest, front to back, mm."""
        return (self.back + self.front) / 2


def landmarks_of(thorax: Thorax) -> Landmarks:
    """Measure a source body."""
    x, y, z = thorax.axis("x"), thorax.axis("y"), thorax.axis("z")
    heart = thorax.mask(Structure.HEART)
    lungs = thorax.mask(*LUNGS)
    hx = x[heart.any((0, 1))]
    hy = y[heart.any((1, 2))]
    hz = z[heart.any((0, 2))]
    lx, ly, lz = x[lungs.any((0, 1))], y[lungs.any((1, 2))], z[lungs.any((0, 2))]
    centre = (
        float(hx[0] + 0.42 * (hx[-1] - hx[0])),
        float(hy.mean()),
        float(hz[0] + 0.4 * (hz[-1] - hz[0])),
    )
    return Landmarks(
        heart=centre,
        heart_reach=(
            float(hx[-1] - centre[0]),
            float(centre[0] - hx[0]),
            float(np.ptp(hy)) / 2,
            float(centre[2] - hz[0]),
        ),
        heart_width=float(hx[-1] - hx[0]),
        thorax_width=float(lx[-1] - lx[0]),
        dome=_dome(thorax, z),
        apex=float(lz[-1]),
        foot=float(lz[0]),
        back=float(ly[0]),
        front=float(ly[-1]),
        carina=_carina(thorax),
        aorta=_aorta(thorax, root=centre[2] - 10.0),
        heart_edge=_edge(thorax, heart),
        lung_edge=_edge(thorax, lungs),
    )


SHADOW_CM = 1.0
"""Least path from which a pixel counts to the shadow of heart or lungs."""


def _edge(thorax: Thorax, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Ends of a structure's frontal shadow in every row, (N, 3); depth: the mean along the ray."""
    x, y, z = thorax.axis("x"), thorax.axis("y"), thorax.axis("z")
    path = mask.sum(0)
    shadow = path > SHADOW_CM * 10.0 / thorax.spacing
    points = []
    for row in np.flatnonzero(shadow.any(1)):
        columns = np.flatnonzero(shadow[row])
        for column, outwards in ((columns[0], -0.5), (columns[-1], 0.5)):
            depth = (mask[:, row, column] * y).sum() / path[row, column]
            points.append((x[column] + outwards * thorax.spacing, depth, z[row]))
    return np.array(points, np.float32)


def _dome(thorax: Thorax, z: Floats) -> float:
    """Where the frontal shadow of the lung gives way to the abdomen, in mid-lung columns."""
    domes = []
    for side in (LEFT_LUNG, RIGHT_LUNG):
        columns = np.flatnonzero(thorax.mask(*side).any((0, 1)))
        middle = columns[len(columns) // 3 : 2 * len(columns) // 3]
        depth = thorax.mask(*side)[:, :, middle].sum(0)
        domes.append(float(z[np.argmax(depth > 0.4 * depth.max(), axis=0)].mean()))
    return float(np.mean(domes))


def _centre(thorax: Thorax, index: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Point:
    """Mean place of voxels (N, 3) in [y, z, x], mm."""
    y, z, x = index.mean(0) * thorax.spacing
    ox, oy, oz = thorax.origin
    return float(x + ox), float(y + oy), float(z + oz)


def _carina(thorax: Thorax) -> Point:
    """Middle of the airway's lowest two centimetres."""
    airway = np.argwhere(thorax.mask(Structure.AIRWAY))
    low = airway[:, 1].min() + 20.0 / thorax.spacing
    return _centre(thorax, airway[airway[:, 1] <= low])


def _aorta(thorax: Thorax, root: float) -> tuple[Point, ...]:
    """Root, arch and descending aorta, a point every centimetre; the arch splits front from back.

    Between arch and ``root`` (height, mm) an axial slice cuts the aorta twice: what lies before the
    middle of the arch ascends. The descending part is followed for 6 cm below the root.
    """
    voxels = np.argwhere(thorax.mask(Structure.AORTA))
    y = voxels[:, 0] * thorax.spacing + thorax.origin[1]
    z = voxels[:, 1] * thorax.spacing + thorax.origin[2]
    top = float(z.max())
    arch = voxels[z > top - 20.0]
    split = float(y[z > top - 20.0].mean())
    rising, falling = [], []
    for level in np.arange(top - 25.0, root - 60.0, -10.0):
        here = np.abs(z - level) <= 5.0
        if (here & (y < split)).any():
            falling.append(_centre(thorax, voxels[here & (y < split)]))
        if level > root and (here & (y >= split)).any():
            rising.append(_centre(thorax, voxels[here & (y >= split)]))
    return (*reversed(rising), _centre(thorax, arch), *falling)
