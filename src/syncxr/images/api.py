"""One call from words to a film."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from syncxr.images import RENDERERS
from syncxr.images.renderer import Film, Renderer, RenderRequest
from syncxr.registry import BackendSpec, build


@cache
def _renderer(name: str, options: str) -> Renderer:
    """Built once for the same options, given as JSON: some are lists or mappings."""
    spec = BackendSpec.model_validate({"name": name, **json.loads(options)})
    renderer: Renderer = build("renderer", RENDERERS, spec)
    return renderer


def render(text: str, seed: int = 0, renderer: str = "simulation", **options: Any) -> Film:
    """Film of what a text says.

    Args:
        text: Findings in plain words, e.g. ``"Small left pleural effusion."``
        seed: Decides everything the words leave open.
        renderer: Name of the backend.
        options: Of the backend, e.g. ``size=512``.

    Returns:
        The film, its masks by finding, and what could not be shown.

    Raises:
        SyncxrError: Unknown backend or option.
    """
    told = json.dumps(options, sort_keys=True)
    [film] = _renderer(renderer, told).render([RenderRequest(text, seed)])
    return film
