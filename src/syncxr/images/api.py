"""One call from words to a film."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from syncxr.images import RENDERERS
from syncxr.images.renderer import Film, Renderer, RenderRequest
from syncxr.registry import BackendSpec, build

if TYPE_CHECKING:
    from collections.abc import Hashable


@cache
def _renderer(name: str, options: tuple[tuple[str, Hashable], ...]) -> Renderer:
    spec = BackendSpec.model_validate({"name": name, **dict(options)})
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
    [film] = _renderer(renderer, tuple(sorted(options.items()))).render([RenderRequest(text, seed)])
    return film
