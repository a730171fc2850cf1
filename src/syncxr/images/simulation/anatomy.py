"""A population from one body: what varies between patients, and how it moves the tissue."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np

from syncxr.images.simulation.ct import LEFT_LUNG, LUNGS, RIGHT_LUNG, Floats, Structure, Thorax

Population = Literal["train", "held_out"]


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
        half_width: Half of ``thorax_width``.
    """

    heart: tuple[float, float, float]
    heart_reach: tuple[float, float, float, float]
    heart_width: float
    thorax_width: float
    dome: float
    apex: float
    foot: float
    back: float
    front: float

    @property
    def half_width(self) -> float:
        """Half of the rib cage's inner width, mm."""
        return self.thorax_width / 2


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
    # Dome: where the frontal shadow of the lung gives way to the abdomen, in mid-lung columns.
    domes = []
    for side in (LEFT_LUNG, RIGHT_LUNG):
        columns = np.flatnonzero(thorax.mask(*side).any((0, 1)))
        middle = columns[len(columns) // 3 : 2 * len(columns) // 3]
        depth = thorax.mask(*side)[:, :, middle].sum(0)
        domes.append(float(z[np.argmax(depth > 0.4 * depth.max(), axis=0)].mean()))
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
        dome=float(np.mean(domes)),
        apex=float(lz[-1]),
        foot=float(lz[0]),
        back=float(ly[0]),
        front=float(ly[-1]),
    )


RANGES: dict[str, tuple[float, float]] = {
    "size": (0.92, 1.06),
    "breadth": (0.82, 0.98),
    "depth": (0.88, 1.15),
    "heart_ratio": (0.40, 0.48),
    "left_dome": (-38.0, 2.0),
    "right_dome": (-38.0, 2.0),
    "mediastinum": (0.92, 1.12),
    "scoliosis": (-7.0, 7.0),
    "rib_slope": (-0.08, 0.08),
    "bone_density": (0.9, 1.7),
    "markings": (0.8, 1.35),
    "soft_tissue": (0.0, 4.0),
}
"""Range of every deformation parameter; units stand at :class:`Patient`.

The source lies on a table: upright, with breath held, the domes stand lower and the chest is
narrower for its height. Its bones are poor in mineral; most of the range lies above.
"""

HELD_OUT: tuple[str, ...] = ("breadth", "left_dome", "right_dome", "rib_slope", "soft_tissue")
"""Parameters whose extremes are kept from training patients."""

_HELD_SHARE = 0.2
"""Share of the range, at each end, that only ``held_out`` patients have."""


@dataclass(frozen=True)
class Patient:
    """One patient.

    Attributes:
        size: Scale of the body.
        breadth: Width over height, 1 = as in the source.
        depth: Front-to-back scale of the chest.
        heart_ratio: Heart width over inner chest width, both frontal, in parallel beam.
        left_dome: Rise of the left hemidiaphragm, mm.
        right_dome: Rise of the right hemidiaphragm, mm.
        mediastinum: Width of the upper mediastinum, 1 = as in the source.
        scoliosis: Sideways bow of the trunk, mm.
        rib_slope: Fall of the front of the chest, mm a mm.
        bone_density: Mineral content, 1 = as in the source.
        markings: Contrast of vessels in the lung, 1 = as in the source.
        soft_tissue: Further soft tissue before the chest, cm.
        breasts: Thickness of the breasts, cm; 0 = none.
        breast_size: Radius of the breasts, mm.
        wobble: Amplitudes of a smooth random deformation, mm, (2, 3, 3, 2).
    """

    size: float = 1.0
    breadth: float = 1.0
    depth: float = 1.0
    heart_ratio: float = 0.45
    left_dome: float = 0.0
    right_dome: float = 0.0
    mediastinum: float = 1.0
    scoliosis: float = 0.0
    rib_slope: float = 0.0
    bone_density: float = 1.0
    markings: float = 1.0
    soft_tissue: float = 0.0
    breasts: float = 0.0
    breast_size: float = 65.0
    wobble: tuple[float, ...] = field(default=(0.0,) * 36)

    def to_dict(self) -> dict[str, float | tuple[float, ...]]:
        """As JSON values."""
        return asdict(self)


def sample_patient(rng: np.random.Generator, population: Population) -> Patient:
    """Draw a patient.

    Args:
        rng: Source of chance.
        population: ``"train"`` patients have every parameter of :data:`HELD_OUT` within the middle
            of its range; of a ``"held_out"`` patient at least one lies outside.
    """
    forced = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
    values = {}
    for name, (low, high) in RANGES.items():
        share = float(rng.random())
        if name in HELD_OUT:
            inner = _HELD_SHARE + (1 - 2 * _HELD_SHARE) * share
            outer = _HELD_SHARE * (2 * share if share < 0.5 else 2 * share - 2)
            share = inner if population == "train" or name != forced else outer % 1.0
        values[name] = low + (high - low) * share
    female = bool(rng.random() < 0.45)
    return Patient(
        **values,
        breasts=float(rng.uniform(1.0, 4.0)) if female else 0.0,
        breast_size=float(rng.uniform(50.0, 80.0)),
        wobble=tuple(float(a) for a in rng.normal(0.0, 1.6, 36)),
    )


def _step(values: Floats, low: float, high: float) -> Floats:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    smooth: Floats = t * t * (3.0 - 2.0 * t)
    return smooth


_GROWTH_SHOWN = 0.83


@dataclass(frozen=True)
class Deformation:
    """Where the tissue of a patient comes from in the source body.

    Attributes:
        patient: Whose.
        marks: Of the source body.
        heart_ratio: Heart over chest width to reach; the patient's own unless a finding says so.
    """

    patient: Patient
    marks: Landmarks
    heart_ratio: float

    @property
    def heart_scale(self) -> float:
        """Growth of the heart against the source body.

        The heart's border does not lie on the ellipsoid within which growth is uniform; measured
        over patients, :data:`_GROWTH_SHOWN` of the growth asked for is seen.
        """
        native = self.marks.heart_width / self.marks.thorax_width
        growth = self.heart_ratio - native
        return 1.0 + growth / (native * (_GROWTH_SHOWN if growth > 0 else 1.0))

    def __call__(self, points: Floats) -> Floats:
        """Points (..., 3) of the patient, mm, to the source body's."""
        p, m = self.patient, self.marks
        height = np.float32(p.size / np.sqrt(p.breadth))
        width = np.float32(p.size * np.sqrt(p.breadth))
        x = points[..., 0] / width
        y = points[..., 1] / np.float32(p.size * p.depth)
        z = points[..., 2] / height
        span = m.apex - m.foot
        x = x - p.scoliosis * np.sin(np.pi * (z - m.foot) / span)
        z = z + p.rib_slope * (y - y_middle(m)) * _step(y, m.back, m.front)
        dx, dz = self._wobble(x, y, z)
        x, z = x + dx, z + dz
        z = z - self._domes(x, y, z)
        x = x + self._mediastinum(x, y, z)
        x, z = self._heart(x, y, z)
        return np.stack([x, y, z], axis=-1).astype(np.float32)

    def _wobble(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Smooth random displacement, wavelengths of 17 cm and more."""
        amplitude = np.array(self.patient.wobble, np.float32).reshape(2, 3, 3, 2)
        waves = [
            [
                np.cos(np.float32(k * np.pi / length) * (axis + np.float32(length / 2)))
                for k in range(count)
            ]
            for axis, length, count in ((x, 340.0, 3), (z, 340.0, 3), (y, 240.0, 2))
        ]
        dx, dz = np.zeros_like(x), np.zeros_like(x)
        for i in range(3):
            for j in range(3):
                plane = waves[0][i] * waves[1][j]
                for k in range(2):
                    wave = plane * waves[2][k]
                    dx += amplitude[0, i, j, k] * wave
                    dz += amplitude[1, i, j, k] * wave
        return dx, dz

    def _domes(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Rise of the diaphragm inside the rib cage, which itself stays."""
        m, p = self.marks, self.patient
        inside = 1.0 - _step(np.abs(x), 0.72 * m.half_width, 1.02 * m.half_width)
        before = _step(y, m.back + 25.0, m.back + 70.0)
        reach = np.exp(-(((z - m.dome) / 85.0) ** 2))
        left = _step(x, -25.0, 35.0)
        rise = p.left_dome * left + p.right_dome * (1.0 - left)
        moved: Floats = rise * inside * before * reach
        return moved

    def _mediastinum(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Widening of the upper mediastinum about the midline."""
        m = self.marks
        upper = _step(z, m.heart[2] + 30.0, m.heart[2] + 70.0) * (
            1.0 - _step(z, m.apex - 30.0, m.apex + 20.0)
        )
        before = _step(y, m.back + 40.0, m.back + 90.0)
        near = np.exp(-(((x - 5.0) / 55.0) ** 2))
        moved: Floats = (1.0 / self.patient.mediastinum - 1.0) * (x - 5.0) * upper * before * near
        return moved

    def _heart(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Grow the heart from behind its right border; the lung around it gives way.

        Within the heart the map is a plain scaling; from its border to the chest wall it is
        linear in the radius, so nothing folds and the rib cage stays.
        """
        m, scale = self.marks, np.float32(self.heart_scale)
        left, right, front, foot = m.heart_reach
        dx, dy, dz = x - m.heart[0], y - m.heart[1], z - m.heart[2]
        rho = np.sqrt(
            (dx / np.where(dx > 0, left, right)) ** 2
            + (dy / (1.15 * front)) ** 2
            + (dz / np.where(dz > 0, 1.35 * foot, 1.2 * foot)) ** 2
        )
        # Room to the chest wall differs between the sides; blend by direction, without a seam.
        leftward = 0.5 + 0.5 * dx / np.where(dx > 0, left, right) / np.maximum(rho, 1e-6)
        wall_left = max((m.half_width - m.heart[0]) * 0.96 / left, 1.05 * float(scale))
        wall_right = (m.half_width + m.heart[0]) * 0.85 / right
        wall = wall_right + (wall_left - wall_right) * leftward
        outer = 1.0 + (rho - scale) * (wall - 1.0) / np.maximum(wall - scale, 0.05)
        source = np.where(rho < scale, rho / scale, np.where(rho < wall, outer, rho))
        factor = (source / np.maximum(rho, 1e-6)).astype(np.float32)
        # Height grows less than width: an enlarged heart lies broad on the diaphragm.
        moved_x: Floats = np.float32(m.heart[0]) + dx * factor
        moved_z: Floats = np.float32(m.heart[2]) + dz * (np.float32(0.5) + np.float32(0.5) * factor)
        return moved_x, moved_z


def y_middle(marks: Landmarks) -> float:
    """Middle of the chest, front to back, mm."""
    return (marks.back + marks.front) / 2
