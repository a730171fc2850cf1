"""What the tests of findings share: a body at 2 mm (insertion needs no film), small films."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import Body, load_body
from syncxr.images.simulation.findings import FINDINGS, Change
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.sample import Entity, Polarity

Insert = Callable[..., tuple[Change, Body]]
State = Callable[..., Entity]


@pytest.fixture(scope="session")
def small() -> SimulationRenderer:
    """Takes PA films of 96 pixels."""
    return SimulationRenderer(SimulationOptions(size=96, views={"PA": 1.0}))


@pytest.fixture(scope="session")
def stated() -> State:
    """Make a positive statement."""

    def make(concept: str, location: str = "", severity: str = "") -> Entity:
        return load_lexicon().concepts[concept].entity(Polarity.PRESENT, location, severity)

    return make


@pytest.fixture(scope="session")
def normal() -> Body:
    """Do not write to it."""
    return load_body(2.0)


@pytest.fixture(scope="session")
def insert(normal: Body) -> Insert:
    """Put one finding into a fresh body."""

    def inserted(
        concept: str,
        location: str = "",
        severity: str = "",
        seed: int = 1,
        denied: frozenset[str] = frozenset(),
        body: Body | None = None,
    ) -> tuple[Change, Body]:
        entity = load_lexicon().concepts[concept].entity(Polarity.PRESENT, location, severity)
        body = body or normal.fresh(Patient(), denied)
        change = FINDINGS[concept].insert(body, entity, np.random.default_rng(seed))
        return change, body

    return inserted
