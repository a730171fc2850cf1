"""Good films to put faults into, straight from the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.anatomy import Population
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.sample import Image, derive_seed

_SIDES = ("left", "right")
_SEVERITIES = ("Small", "Moderate", "Large")
_ZONES = ("upper lobe", "lower lobe")


def _caption(rng: np.random.Generator) -> str:
    """A report of nothing, one or several findings: good films show disease too."""

    def one() -> str:
        severity, side, zone = rng.choice(_SEVERITIES), rng.choice(_SIDES), rng.choice(_ZONES)
        return str(
            rng.choice(
                [
                    f"{severity} {side} pleural effusion.",
                    f"{severity} {side} pneumothorax.",
                    f"{rng.choice(['Mild', 'Moderate', 'Severe'])} cardiomegaly.",
                    f"Consolidation in the {side} {zone}.",
                    f"Opacity in the {side} {zone}.",
                    f"Nodule in the {side} {zone}.",
                ]
            )
        )

    return " ".join(one() for _ in range(rng.choice([0, 1, 2], p=[0.35, 0.4, 0.25]))) or "Normal."


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

    Args:
        name: Any string, e.g. ``"training"``, ``"benchmark"``.
        index: Number within the stock.
        population: ``"train"`` or ``"held_out"``, see the simulator.
    """
    seed = derive_seed(f"curation-{name}-{index}", "stock", 0)
    rng = np.random.default_rng(seed)
    size = int(rng.choice([224, 320, 448], p=[0.65, 0.25, 0.1]))
    renderer = SimulationRenderer(SimulationRenderer.Options(size=size, population=population))
    return renderer.render([RenderRequest(_caption(rng), seed)])[0].image


def simulated_stock(name: str, count: int, population: Population = "train") -> Stock:
    """``count`` films of :func:`simulated_film`."""
    return Stock([simulated_film(name, index, population) for index in range(count)])
