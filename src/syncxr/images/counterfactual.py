"""Pairs of films that differ in one finding, and the texts that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncxr.errors import SyncxrError
from syncxr.images.renderer import Film, RenderRequest
from syncxr.images.simulation.reading import instructions
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.reports import editing
from syncxr.sample import Entity


@dataclass(frozen=True)
class Counterfactual:
    """The same patient, pose, exposure, noise and processing, one finding changed.

    Attributes:
        text: The report.
        film: Its film.
        changed_text: The report with the finding changed.
        changed_film: The film with the finding changed.
        gone: Findings that only ``text`` states.
        come: Findings that only ``changed_text`` states.
    """

    text: str
    film: Film
    changed_text: str
    changed_film: Film
    gone: tuple[Entity, ...]
    come: tuple[Entity, ...]


def counterfactual(
    text: str,
    seed: int = 0,
    *,
    remove: str = "",
    add: str = "",
    change: str = "",
    **options: Any,
) -> Counterfactual:
    """Film of a text, and of the same text with one finding changed.

    Args:
        text: Findings in plain words.
        seed: Decides everything the words leave open, for both films.
        remove: A finding to be taken out, e.g. ``"left pleural effusion"``.
        add: A finding to be put in, e.g. ``"small left apical pneumothorax"``.
        change: A finding in another grade, e.g. ``"large left pleural effusion"``.
        options: Of the simulation, e.g. ``size=512``.

    Raises:
        SyncxrError: Not just one of ``remove``, ``add``, ``change``; words that the report does not
            allow to be changed; a finding that cannot be drawn.
    """
    renderer = SimulationRenderer(SimulationRenderer.Options(**options))
    return pair(renderer, text, seed, remove=remove, add=add, change=change)


def pair(
    renderer: SimulationRenderer,
    text: str,
    seed: int,
    *,
    remove: str = "",
    add: str = "",
    change: str = "",
) -> Counterfactual:
    """:func:`counterfactual` with a renderer that there is already."""
    ways = ((editing.remove, remove), (editing.add, add), (editing.change, change))
    asked = [(edit, words) for edit, words in ways if words]
    if len(asked) != 1:
        raise SyncxrError("give one of remove, add and change")
    [(make, words)] = asked
    edit = make(text, words, seed)
    for entity in edit.come:
        if reason := renderer.refusal(entity):
            raise SyncxrError(f"{str(entity)!r} cannot be drawn: {reason}")
    study = renderer.study(RenderRequest(text, seed))
    changed = renderer.again(study, instructions(edit.text))
    return Counterfactual(text, study.film, edit.text, changed.film, edit.gone, edit.come)
