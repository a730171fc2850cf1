"""Growing a tree of vessels that fills the lungs.

One CT has one tree, and voxels of 2 mm blur what is thinner. Trees are therefore grown: end points
spread through a lung are joined to its hilum so that both the sum of all vessels and the way from
the hilum to each end stay short (balanced spanning tree: Cuntz et al., PLoS Comput Biol 2010), and
radii follow from the ends by Murray's law (J Gen Physiol 1926): the cube of a vessel's radius is
the sum of its branches' cubes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.anatomy import Landmarks
from syncxr.images.simulation.thorax import LEFT_LUNG, RIGHT_LUNG, Floats, Structure, Thorax
from syncxr.sample import derive_seed

VARIANTS = 12
"""Trees that patients are given."""

_ENDS = 420
"""Ends of one tree; each lung has an arterial and a venous one."""

_END_RADIUS = 0.42
"""Of the thinnest vessels, mm: what a radiograph shows last (Fraser & Paré: 1 to 2 cm from the
pleura, where they are below a millimetre thick)."""

_DETOUR = 0.45
"""Weight of the way from the hilum against the length of the piece."""

_STEP = 1.6
"""Between points of a vessel, mm."""

_MOST_RADIUS = 2.0
"""Thicker vessels are in the CT itself, mm."""


_ROOT_MM = 14.0
"""Round the root, where branches lie on one another and the CT shows the hilum, mm."""


@dataclass(frozen=True)
class Tree:
    """Short pieces of vessels.

    Attributes:
        points: Their middles in the source body, mm, (N, 3).
        radii: mm, (N,).
        lengths: mm, (N,).
    """

    points: Floats
    radii: Floats
    lengths: Floats


def grow(thorax: Thorax, marks: Landmarks, variant: int) -> Tree:
    """The tree of a variant, arteries and veins of both lungs."""
    pieces = []
    for side, lobes in ((1.0, LEFT_LUNG), (-1.0, RIGHT_LUNG)):
        inner = _inner(thorax, lobes)
        for kind, (out, up) in enumerate(((30.0, -4.0), (26.0, -38.0))):
            rng = np.random.default_rng(derive_seed("vessels", f"{variant} {side} {kind}", 0))
            root = np.array(marks.carina) + np.array([side * out, 0.0, up])
            ends = inner[rng.choice(len(inner), _ENDS, replace=False)]
            ends = ends + rng.uniform(-0.5, 0.5, ends.shape) * thorax.spacing
            nodes, parents = _join(root, ends[np.linalg.norm(ends - root, axis=1).argsort()])
            pieces.append(_pieces(_relaxed(nodes, parents), parents, _radii(parents)))
    points, radii, lengths = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return Tree(points, radii, lengths)


def _inner(thorax: Thorax, lobes: tuple[Structure, ...]) -> NDArray[np.float64]:
    """Places in a lung at least 4 mm from its surface, mm, (N, 3)."""
    lung = np.isin(thorax.labels, lobes)
    box = ndimage.find_objects(lung.astype(np.uint8))[0]
    reach = max(1, round(4.0 / thorax.spacing))
    inner = np.argwhere(ndimage.binary_erosion(np.pad(lung[box], 1), iterations=reach))
    y, z, x = ((inner + [side.start - 1 for side in box]) * thorax.spacing).T
    places: NDArray[np.float64] = np.stack([x, y, z], axis=1) + np.array(thorax.origin)
    return places


def _join(
    root: NDArray[np.float64], ends: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nodes and the parent of each; from near to far, so that parents come first."""
    nodes = np.concatenate([root[None], ends])
    parents = np.zeros(len(nodes), np.int64)
    way = np.zeros(len(nodes))
    for index in range(1, len(nodes)):
        reach = np.linalg.norm(nodes[:index] - nodes[index], axis=1)
        parent = int((reach + _DETOUR * (way[:index] + reach)).argmin())
        parents[index], way[index] = parent, way[parent] + reach[parent]
    return nodes, parents


def _relaxed(nodes: NDArray[np.float64], parents: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw every fork towards its neighbours: vessels run straight and fork at small angles."""
    for _ in range(4):
        total, count = np.zeros_like(nodes), np.zeros(len(nodes))
        np.add.at(total, parents[1:], nodes[1:])
        np.add.at(count, parents[1:], 1.0)
        forks = np.flatnonzero(count)[1:]
        ahead = total[forks] / count[forks][:, None]
        nodes = nodes.copy()
        nodes[forks] = 0.4 * nodes[forks] + 0.3 * ahead + 0.3 * nodes[parents[forks]]
    return nodes


def _radii(parents: NDArray[np.int64]) -> NDArray[np.float64]:
    """Radius of the vessel that leads to each node, mm."""
    cubes = np.full(len(parents), _END_RADIUS**3)
    for index in range(len(parents) - 1, 0, -1):
        cubes[parents[index]] += cubes[index]
    radii: NDArray[np.float64] = np.minimum(np.cbrt(cubes), _MOST_RADIUS)
    return radii


def _pieces(
    nodes: NDArray[np.float64], parents: NDArray[np.int64], radii: NDArray[np.float64]
) -> tuple[Floats, Floats, Floats]:
    """Cut every vessel into short pieces; it narrows from its parent's radius to its own."""
    start, end = nodes[parents[1:]], nodes[1:]
    reach = np.linalg.norm(end - start, axis=1)
    counts = np.maximum(1, np.ceil(reach / _STEP)).astype(int)
    which = np.repeat(np.arange(len(counts)), counts)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + 0.5) / counts[
        which
    ]
    points = start[which] + share[:, None] * (end - start)[which]
    before = np.minimum(radii[parents[1:]], 1.5 * radii[1:])
    radius = before[which] + share * (radii[1:] - before)[which]
    length = (reach / counts)[which]
    away = np.linalg.norm(points - nodes[0], axis=1) > _ROOT_MM
    return (
        points[away].astype(np.float32),
        radius[away].astype(np.float32),
        length[away].astype(np.float32),
    )
