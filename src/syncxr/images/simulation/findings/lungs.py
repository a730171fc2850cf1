"""One lung at a time: the part of the body that a finding of lung or pleura works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.body import Body, Box
from syncxr.images.simulation.findings.finding import Words, lung_share, smooth_step, zone_limits
from syncxr.images.simulation.findings.texture import LAYER_MM
from syncxr.images.simulation.thorax import LEFT_LUNG, RIGHT_LUNG, Floats

Texture = Callable[[tuple[int, ...], float, np.random.Generator], Floats]

_LUNGS = {"left": LEFT_LUNG, "right": RIGHT_LUNG}


@dataclass(frozen=True)
class Lung:
    """One lung of the patient, cut out of the body with the box that holds it.

    Attributes:
        body: Whose.
        side: ``"left"`` or ``"right"``, in the source body.
        box: Of the lung in the body; all arrays below are cut to it, (k, r, c).
        chance: Source of chance for this side alone.
    """

    body: Body
    side: str
    box: Box
    chance: np.random.Generator

    @property
    def sign(self) -> float:
        """Direction of x from the midline outwards, in the source body."""
        return 1.0 if self.side == "left" else -1.0

    @property
    def x(self) -> Floats:
        """Millimetres, (1, 1, c)."""
        return self.body.slabs.columns[self.box[2]][None, None, :]

    @property
    def y(self) -> Floats:
        """Millimetres, (k, 1, 1)."""
        return self.body.slabs.centres[self.box[0]][:, None, None]

    @property
    def z(self) -> Floats:
        """Millimetres, (1, r, 1)."""
        return self.body.slabs.rows[self.box[1]][None, :, None]

    @property
    def share(self) -> Floats:
        """Share of each cell that is lung."""
        return self.body.lungs[self.side][self.box]

    @property
    def water(self) -> Floats:
        """Density, g/cm³; a view."""
        return self.body.water[self.box]

    @property
    def wall(self) -> Floats:
        """Distance to the chest wall in the axial plane, mm."""
        return self.body.wall[self.box]

    @property
    def depth(self) -> Floats:
        """Distance to the lung's surface, mm."""
        return self.body.depth[self.box]

    @property
    def hilum(self) -> tuple[float, float, float]:
        """Where bronchi and vessels enter the lung: (x, y, z), mm."""
        _, y, z = self.body.marks.heart
        return 38.0 * self.sign, y - 20.0, z + 28.0

    def lobe(self, name: str) -> Floats:
        """Share of each cell that is this lobe (``"upper lobe"`` ...); the lung if ``""``."""
        return lung_share(self.body, self.side, name)[self.box]

    def around(self, centre: tuple[float, float, float], reach: tuple[float, float, float]) -> Lung:
        """The same lung in a smaller box: ``reach`` mm along x, y and z round ``centre``."""
        slabs = self.body.slabs
        axes = (
            (slabs.centres, centre[1], reach[1] + slabs.thickness),
            (slabs.rows, centre[2], reach[2] + 2.0),
            (slabs.columns, centre[0], reach[0] + 2.0),
        )
        sides = []
        for part, (axis, at, far) in zip(self.box, axes, strict=True):
            low, high = np.searchsorted(axis, (at - far, at + far))
            start = min(max(int(low), part.start), part.stop - 1)
            sides.append(slice(start, max(start + 1, min(int(high), part.stop))))
        return replace(self, box=(sides[0], sides[1], sides[2]))

    def texture(self, kind: Texture) -> Floats:
        """A pattern of lung tissue, cut to the box; see :mod:`.texture`.

        Thinner slabs share one layer of it: the sum along a ray then varies as much as in thick
        ones.
        """
        slabs = self.body.slabs
        deep, high, wide = self.share.shape
        each = max(1, round(LAYER_MM / slabs.thickness))
        layers = (-(-deep // each), high, wide)
        pattern = kind(layers, float(slabs.rows[1] - slabs.rows[0]), self.chance)
        return pattern if each == 1 else np.repeat(pattern, each, axis=0)[:deep]

    def lobe_at(self, point: tuple[float, float, float]) -> Floats:
        """Share of each cell that is the lobe in which ``point`` lies."""
        slabs = self.body.slabs
        cell = tuple(
            int(np.argmin(np.abs(axis[part] - at)))
            for axis, part, at in zip(
                (slabs.centres, slabs.rows, slabs.columns),
                self.box,
                (point[1], point[2], point[0]),
                strict=True,
            )
        )
        parts = [
            share[self.box] for name, share in self.body.lobes.items() if name in _LUNGS[self.side]
        ]
        return max(parts, key=lambda share: float(share[cell]))

    def heights(self) -> Floats:
        """0 at the dome of the diaphragm, 1 at the apex, (1, r, 1)."""
        marks = self.body.marks
        share: Floats = (self.z - marks.dome) / (marks.apex - marks.dome)
        return share

    def within(self, zone: str, soft: float = 30.0) -> Floats:
        """1 within a zone, 0 beyond ``soft`` mm from it, (1, r, 1); the whole lung if ``""``."""
        if not zone:
            return np.ones_like(self.z)
        low, high = zone_limits(self.body, zone)
        inside: Floats = smooth_step(self.z, low - soft, low - 0.15 * soft)
        # The lowest zone goes down into the recess behind the diaphragm.
        if zone in ("base", "lower zone"):
            inside = np.ones_like(inside)
        return inside * (1.0 - smooth_step(self.z, high + 0.15 * soft, high + soft))

    def pick(
        self, allowed: Floats, zone: str, margin: float, clear: float = 0.7
    ) -> tuple[float, float, float]:
        """One point, see :meth:`picks`."""
        return self.picks(allowed, zone, margin, clear, 1)[0]

    def picks(
        self, allowed: Floats, zone: str, margin: float, clear: float, count: int
    ) -> list[tuple[float, float, float]]:
        """Points, ``margin`` mm from the lung's surface, in the open where there are any.

        Args:
            allowed: Share of each cell that will do.
            zone: Zone that will do.
            margin: Distance to keep from the surface, mm; given up where nothing is left.
            clear: Least ``Body.open_lung``; lowered until a place is found.
            count: How many.

        Returns:
            (x, y, z) of each, mm.
        """
        places = self._places(allowed, zone, margin, clear)
        chosen = places[self.chance.integers(len(places), size=count)]
        cells = zip(*np.unravel_index(chosen, allowed.shape), strict=True)
        return [
            (float(self.x[0, 0, c]), float(self.y[k, 0, 0]), float(self.z[0, r, 0]))
            for k, r, c in cells
        ]

    def _places(self, allowed: Floats, zone: str, margin: float, clear: float) -> NDArray[np.intp]:
        """Cells that will do, as flat indices."""
        low, high = zone_limits(self.body, zone)
        patient = self.body.patient
        deep = (patient.lung_volume - 1.0) * (self.body.marks.apex - self.body.marks.dome)
        # Where the dome stands higher than in the source it hides more of the lung behind it.
        rise = max(0.0, float(getattr(patient, f"{self.side}_dome")) - deep)
        dome = self.body.marks.dome + rise + (8.0 if zone != "base" else 0.0)
        fits = (allowed > 0.7) & (self.z >= max(low, dome)) & (self.z <= high)
        if not fits.any():
            fits = allowed >= allowed.max()
        open_lung = self.body.open_lung[self.box[1:]][None]
        for loosened in (1.0, 0.6, 0.3, 0.1):
            best = fits & (self.depth >= loosened * margin) & (open_lung >= loosened * clear)
            if best.any():
                return np.flatnonzero(best)
        return np.flatnonzero(fits)

    def at(self, share: Floats, points: Floats) -> Floats:
        """``share`` (k, r, c) of this box in the cells that hold ``points`` (N, 3), mm."""
        axes = (self.y[:, 0, 0], self.z[0, :, 0], self.x[0, 0])
        steps = [float(axis[1] - axis[0]) if len(axis) > 1 else 1.0 for axis in axes]
        cells = tuple(
            np.rint((points[:, column] - axis[0]) / step).astype(int).clip(0, len(axis) - 1)
            for column, axis, step in zip((1, 2, 0), axes, steps, strict=True)
        )
        found: Floats = share[cells]
        return found

    def perfuse(self, share: Floats) -> None:
        """Multiply the contrast of vessels by ``share`` (k, r, c)."""
        if self.body.perfusion is None:
            self.body.perfusion = np.ones_like(self.body.water)
        self.body.perfusion[self.box] *= share

    def look_up(self, share: Floats, z: Floats, x: Floats) -> Floats:
        """``share`` (k, r, c) of this box at other places of each slab; 0 outside the box.

        Args:
            share: To look up.
            z: Heights to look at, mm, broadcastable to (r, c).
            x: Columns to look at, mm, broadcastable to (r, c).
        """
        rows, columns = self.z[0, :, 0], self.x[0, 0]
        step = float(rows[1] - rows[0])
        row, column = np.broadcast_arrays((z - rows[0]) / step + 1.0, (x - columns[0]) / step + 1.0)
        framed = np.pad(share, ((0, 0), (1, 1), (1, 1)))
        row = np.clip(row, 0.0, framed.shape[1] - 1.0)
        column = np.clip(column, 0.0, framed.shape[2] - 1.0)
        r = np.minimum(row.astype(int), framed.shape[1] - 2)
        c = np.minimum(column.astype(int), framed.shape[2] - 2)
        fr, fc = (row - r).astype(np.float32), (column - c).astype(np.float32)
        upper = framed[:, r, c] * (1.0 - fc) + framed[:, r, c + 1] * fc
        lower = framed[:, r + 1, c] * (1.0 - fc) + framed[:, r + 1, c + 1] * fc
        found: Floats = upper * (1.0 - fr) + lower * fr
        return found

    def fill(self, share: Floats, density: float | Floats, extent: Floats) -> None:
        """Replace ``share`` of each cell by tissue, and add it to ``extent`` of the whole body."""
        share = np.asarray(share, np.float32)
        self.body.fill(share, density, self.box)
        part = extent[self.box]
        np.maximum(part, share, out=part)


def affected(body: Body, words: Words, rng: np.random.Generator) -> Iterator[Lung]:
    """The lungs that the words speak of, left before right.

    Chance is drawn for both, so that one side looks the same whether or not the other has it too.
    """
    seeds = {side: int(rng.integers(2**32)) for side in ("left", "right")}
    for side in ("left", "right"):
        if side in words.sides:
            yield Lung(body, side, body.boxes[side], np.random.default_rng(seeds[side]))
