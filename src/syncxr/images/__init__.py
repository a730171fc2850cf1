"""Films from words: what a renderer is, and the renderers that ship.

In: report texts with seeds. Out: films, masks, and what could not be shown.
Must not know: plans, hidden labels, how films are judged, stored or learned from.
"""

RENDERERS: dict[str, str] = {
    "diffusion": "syncxr.images.diffusion:DiffusionRenderer",
    "simulation": "syncxr.images.simulation.renderer:SimulationRenderer",
}
"""Backend name to ``"module:Class"``, for :func:`syncxr.registry.build`."""
