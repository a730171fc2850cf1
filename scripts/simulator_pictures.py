"""Pictures of docs/simulator.md: the cleaning of the source CT, and every finding.

    python scripts/simulator_pictures.py [--out docs/pictures]

All pixels derive from the source CT (LIDC-IDRI, CC BY 3.0).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw
from scipy import ndimage

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.findings.bone import BONE
from syncxr.images.simulation.findings.devices import DEVICES
from syncxr.images.simulation.findings.finding import SEVERITIES, Finding
from syncxr.images.simulation.findings.heart import HEART
from syncxr.images.simulation.findings.lung import LUNG
from syncxr.images.simulation.findings.pleura import PLEURA
from syncxr.images.simulation.preparation.cleaning import clean
from syncxr.images.simulation.preparation.raw import load_raw
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.sample import Polarity

SLICES = (47, 75, 90, 116)
"""Of the source: abdomen, heart, mass, dense contrast medium."""

EDGE = (255, 96, 0)

QUALITY = 62

ROOMS: dict[str, tuple[Finding, ...]] = {
    "lung": LUNG,
    "pleura": PLEURA,
    "heart": HEART,
    "bone": BONE,
    "devices": DEVICES,
}


def grey(hu: NDArray[np.floating]) -> NDArray[np.uint8]:
    """HU from -1000 to 500 as grey."""
    return (np.clip((hu + 1000.0) / 1500.0, 0.0, 1.0) * 255).astype(np.uint8)


def cleaning(path: Path) -> None:
    """Axial slices before (above) and after (below)."""
    raw = load_raw()
    cleaned = clean(raw)
    rows = [
        np.hstack([grey(volume[::2, ::2, z].T[::-1]) for z in SLICES])
        for volume in (raw.hu, cleaned.hu)
    ]
    Picture.fromarray(np.vstack(rows)).save(path, optimize=True)


def outlined(image: NDArray[np.uint8], masks: list[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """A film with its masks' borders in colour."""
    colour = np.repeat(image[..., None], 3, axis=-1)
    for mask in masks:
        colour[mask ^ ndimage.binary_erosion(mask)] = EDGE
    return colour


def findings(folder: Path, size: int = 176) -> None:
    """A sheet a room of findings: without, three severities, the last with its mask."""
    renderer = SimulationRenderer(SimulationOptions(size=size))
    for room, members in ROOMS.items():
        rows = [_row(renderer, finding.concept, seed) for seed, finding in enumerate(members)]
        half = (len(rows) + 1) // 2
        rows += [np.zeros_like(rows[0])] * (2 * half - len(rows))
        sheet = np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])
        path = folder / f"simulator-findings-{room}.jpg"
        Picture.fromarray(sheet).convert("RGB").save(path, quality=QUALITY, optimize=True)


def _row(renderer: SimulationRenderer, name: str, seed: int) -> NDArray[np.uint8]:
    """One finding; where it has no grades, in three patients."""
    lexicon = load_lexicon()
    concept = lexicon.concepts[name]
    place = "right" if "right" in lexicon.sites[concept.sites] else ""
    if concept.scale == "none":
        entities = [concept.entity(Polarity.PRESENT, place)] * 3
        seeds = [seed, seed + 100, seed + 200]
    else:
        entities = [concept.entity(Polarity.PRESENT, place, degree) for degree in SEVERITIES]
        seeds = [seed] * 3
    films = [renderer.render_entities([], seed, "PA")]
    films += [renderer.render_entities([e], s, "PA") for e, s in zip(entities, seeds, strict=True)]
    tiles = [outlined(film.image, []) for film in films]
    tiles.append(outlined(films[-1].image, list(films[-1].masks.values())))
    row = Picture.fromarray(np.hstack(tiles))
    ImageDraw.Draw(row).text((4, 2), f"{place} {name}".strip(), fill=(255, 220, 0))
    return np.asarray(row)


def normals(path: Path) -> None:
    """Nine normal films."""
    renderer = SimulationRenderer(SimulationOptions(size=320))
    films = [renderer.render_entities([], seed).image for seed in range(9)]
    sheet = np.vstack([np.hstack(films[row : row + 3]) for row in (0, 3, 6)])
    Picture.fromarray(sheet).save(path, quality=85)


def main() -> None:
    """Parse and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--only", choices=("cleaning", "normals", "findings"))
    arguments = parser.parse_args()
    folder = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.only in (None, "cleaning"):
        cleaning(folder / "simulator-cleaning.png")
    if arguments.only in (None, "normals"):
        normals(folder / "simulator-normals.jpg")
    if arguments.only in (None, "findings"):
        findings(folder)


if __name__ == "__main__":
    main()
