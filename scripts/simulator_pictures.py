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
from syncxr.images.simulation.findings import FINDINGS
from syncxr.images.simulation.preparation.cleaning import clean
from syncxr.images.simulation.preparation.raw import load_raw
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.sample import Entity, Polarity

SLICES = (47, 75, 90, 116)
"""Of the source: abdomen, heart, mass, dense contrast medium."""

EDGE = (255, 96, 0)


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


def findings(path: Path) -> None:
    """A row a finding: without, three severities, the last with its mask."""
    renderer = SimulationRenderer(SimulationOptions(size=160))
    lexicon = load_lexicon()
    rows = []
    for seed, name in enumerate(FINDINGS):
        sites = lexicon.sites[lexicon.concepts[name].sites]
        place = "right" if "right" in sites else ""
        films = [renderer.render_entities([], seed)]
        for severity in ("mild", "moderate", "severe"):
            concept = lexicon.concepts[name]
            entity = Entity(
                name, concept.category(Polarity.PRESENT), Polarity.PRESENT, place, severity
            )
            films.append(renderer.render_entities([entity], seed))
        tiles = [outlined(film.image, []) for film in films]
        tiles.append(outlined(films[-1].image, list(films[-1].masks.values())))
        row = Picture.fromarray(np.hstack(tiles))
        ImageDraw.Draw(row).text((4, 2), f"{place} {name}".strip(), fill=(255, 220, 0))
        rows.append(np.asarray(row))
    half = (len(rows) + 1) // 2
    while len(rows) < 2 * half:
        rows.append(np.zeros_like(rows[0]))
    sheet = np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])])
    Picture.fromarray(sheet).convert("RGB").save(path, quality=85)


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
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    cleaning(folder / "simulator-cleaning.png")
    normals(folder / "simulator-normals.jpg")
    findings(folder / "simulator-findings.jpg")


if __name__ == "__main__":
    main()
