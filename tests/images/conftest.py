import pytest

from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer


@pytest.fixture(scope="session")
def renderer() -> SimulationRenderer:
    return SimulationRenderer(SimulationOptions(size=112))
