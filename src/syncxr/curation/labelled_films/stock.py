"""Good films to put faults into, straight from the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.anatomy import Population
from syncxr.images.simulation.findings import FINDINGS
from syncxr.images.simulation.findings.finding import SEVERITIES, ZONES
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.sample import Entity, Image, Polarity, derive_seed

_SIDES = ("", "left", "right", "bilateral")
_PLACES = (*ZONES, "upper lobe", "lower lobe")


def _finding(renderer: SimulationRenderer, rng: np.random.Generator) -> Entity:
    """Any finding or device that the simulator draws, with a place and a severity it can have."""
    while True:
        concept = load_lexicon().concepts[str(rng.choice(list(FINDINGS)))]
        location = f"{rng.choice(_SIDES)} {rng.choice(_PLACES)}".strip()
        for place in dict.fromkeys((location, "")):
            severity = str(rng.choice(["", *SEVERITIES]))
            entity = concept.entity(Polarity.PRESENT, location=place, severity=severity)
            if renderer.shows(entity):
                return entity


@dataclass(frozen=True)
class Stock:
    """Good films.

    Attributes:
        films: Simulated films without faults, uint8, any size.
    """

    films: Sequence[Image]

    def draw(self, rng: np.random.Generator) -> Image:
        """One of them."""
        return self.films[int(rng.integers(len(self.films)))]


def simulated_film(name: str, index: int, population: Population = "train") -> Image:
    """The ``index``-th film of the stock called ``name``: another name, other films.

    PA and AP films, markers and borders as the simulator puts them, none to four findings: good
    films show disease and devices too.

    Args:
        name: Any string, e.g. ``"training"``, ``"benchmark"``.
        index: Number within the stock.
        population: ``"train"`` or ``"held_out"``, see the simulator.
    """
    seed = derive_seed(f"curation-{name}-{index}", "stock", 0)
    rng = np.random.default_rng(seed)
    size = int(rng.choice([224, 320, 448], p=[0.65, 0.25, 0.1]))
    options = SimulationRenderer.Options(
        size=size, population=population, views={"PA": 0.6, "AP": 0.4}
    )
    renderer = SimulationRenderer(options)
    count = int(rng.choice(5, p=[0.25, 0.3, 0.2, 0.15, 0.1]))
    findings = [_finding(renderer, rng) for _ in range(count)]
    return renderer.render_entities(findings, seed).image


def simulated_stock(name: str, count: int, population: Population = "train") -> Stock:
    """``count`` films of :func:`simulated_film`."""
    return Stock([simulated_film(name, index, population) for index in range(count)])
