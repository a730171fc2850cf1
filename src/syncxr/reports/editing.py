"""Changing one statement of a report, and nothing else it says.

A sentence that says only the statement is replaced; one that says more is said anew without it, by
the project's wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.errors import SyncxrError
from syncxr.reports.grammar import Grammar
from syncxr.reports.wording import load_wording
from syncxr.sample import Category, Entity, Polarity, derive_seed


@dataclass(frozen=True)
class Edit:
    """A changed report.

    Attributes:
        text: As it reads now.
        gone: Positive findings that it no longer states.
        come: Positive findings that it states now.
    """

    text: str
    gone: tuple[Entity, ...]
    come: tuple[Entity, ...]


def remove(text: str, statement: str, seed: int = 0) -> Edit:
    """Deny a finding that a report states.

    Args:
        text: The report.
        statement: The finding in words, e.g. ``"left pleural effusion"``; what it leaves out may be
            anything.
        seed: Of the wording.

    Raises:
        SyncxrError: The words name no single finding, or the report does not state it.
    """
    asked = finding(statement)
    gone = _stated(text, asked)
    if not gone:
        raise SyncxrError(f"{statement!r} is not in the report: it states {_list(text)}")
    denied = (
        load_lexicon()
        .concepts[asked.concept]
        .entity(Polarity.ABSENT, _common_place(gone) if asked.location else "")
    )
    # What else of the kind the report states must not be denied with it.
    others = [e for e in _positives(text) if e.concept == asked.concept and e not in gone]
    first = () if others and not denied.location else (denied,)
    changed = _edit(text, lambda e: e in gone, first, seed)
    return _checked(Edit(changed, gone, ()), text)


def add(text: str, statement: str, seed: int = 0) -> Edit:
    """State a finding in a report; what contradicts it goes.

    Args:
        text: The report.
        statement: The finding in words, e.g. ``"small left pleural effusion"``.
        seed: Of the wording.

    Raises:
        SyncxrError: The words name no single finding, or the report states it.
    """
    wanted = finding(statement)
    lexicon = load_lexicon()
    if _stated(text, wanted):
        raise SyncxrError(f"{statement!r} is in the report already: change or remove it")
    gone = tuple(e for e in _positives(text) if lexicon.contradict(e, wanted))
    changed = _edit(text, lambda e: lexicon.contradict(e, wanted), (wanted,), seed)
    return _checked(Edit(changed, gone, (wanted,)), text)


def change(text: str, statement: str, seed: int = 0) -> Edit:
    """State a finding in another grade.

    Args:
        text: The report.
        statement: The finding as it is to be, e.g. ``"large left pleural effusion"``; it takes the
            place of the one of the same kind whose place agrees.
        seed: Of the wording.

    Raises:
        SyncxrError: The words name no single finding, or the report states none of the kind.
    """
    wanted = finding(statement)
    gone = _stated(text, replace(wanted, severity=""))
    if not gone:
        raise SyncxrError(f"nothing to change into {statement!r}: the report states {_list(text)}")
    wanted = replace(wanted, location=wanted.location or _common_place(gone))
    changed = _edit(text, lambda e: e in gone, (wanted,), seed)
    return _checked(Edit(changed, gone, (wanted,)), text)


def finding(statement: str) -> Entity:
    """The one positive finding that words name.

    Raises:
        SyncxrError: They name none, or several.
    """
    found = _positives(statement)
    if len(found) != 1:
        many = f"{len(found)} findings" if found else "no finding the lexicon knows"
        raise SyncxrError(f"{statement!r} names {many}: give one, e.g. 'left pleural effusion'")
    return found[0]


def _positives(text: str) -> list[Entity]:
    return list(
        dict.fromkeys(
            m.entity
            for m in extract(text)
            if m.entity.polarity is Polarity.PRESENT and m.entity.category is not Category.ANATOMY
        )
    )


def _stated(text: str, asked: Entity) -> tuple[Entity, ...]:
    """Findings of a report that are what is asked for."""
    place = Location.parse(asked.location)
    return tuple(
        e
        for e in _positives(text)
        if e.concept == asked.concept
        and Location.parse(e.location).overlaps(place)
        and (not asked.severity or e.severity in ("", asked.severity))
    )


def _common_place(entities: tuple[Entity, ...]) -> str:
    """The place of the most precise of several statements of one thing."""
    return max((e.location for e in entities), key=lambda place: len(place.split()))


def _list(text: str) -> str:
    return ", ".join(str(e) for e in _positives(text)) or "no finding"


_SENTENCE = re.compile(r"[^.;!\n]*(?:[.;!]+|\n|$)")
_HEADING = re.compile(r"\s*(?:[A-Z][A-Z ]+:\s*)?")


def _edit(text: str, goes: Callable[[Entity], bool], come: tuple[Entity, ...], seed: int) -> str:
    """The text with some statements gone and others said in the first one's stead."""
    mentions = extract(text)
    pending = list(come)
    # A section that told a finding tells the one in its stead: IMPRESSION repeats FINDINGS.
    repeated = [e for e in come[:1] if e.polarity is Polarity.PRESENT]
    told = True
    parts: list[str] = []
    for sentence in _SENTENCE.finditer(text):
        here = [m for m in mentions if sentence.start() <= m.start < sentence.end()]
        heading = _HEADING.match(sentence[0])
        lead = heading[0] if heading else ""
        told = told and not lead.strip()
        if not any(goes(m.entity) for m in here):
            parts.append(sentence[0])
            continue
        rest = list(dict.fromkeys(m.entity for m in here if not goes(m.entity)))
        # Nor is a section left empty.
        empty = list(come[:1]) if lead.strip() and not rest else []
        new = pending or ([] if told else repeated) or empty
        said = [_say(entity, seed) for entity in [*new, *rest]]
        pending, told = [], True
        end = "\n" if sentence[0].endswith("\n") else ""
        parts.append(lead + " ".join(said) + end)
    made = "".join(parts)
    for entity in pending:
        made = _append(made, _say(entity, seed))
    return re.sub(r"  +", " ", made).strip()


def _append(text: str, sentence: str) -> str:
    """The text with one more sentence at the end of its FINDINGS."""
    head, mark, tail = text.partition("IMPRESSION:")
    return f"{head.rstrip()} {sentence}{' ' if mark else ''}{mark}{tail}"


def _say(entity: Entity, seed: int) -> str:
    rng = np.random.default_rng(derive_seed(str(seed), f"wording {entity}", 0))
    return Grammar(load_wording().sentence(entity)).walk(rng).strip()


def _checked(edit: Edit, before: str) -> Edit:
    """The edit, if the new text says what it should.

    Raises:
        SyncxrError: The extractor reads something else.
    """
    expected = (set(_positives(before)) - set(edit.gone)) | set(edit.come)
    found = set(_positives(edit.text))
    if found != expected:
        odd = ", ".join(sorted(str(e) for e in found ^ expected))
        raise SyncxrError(f"the report cannot be changed so that only that changes: {odd}")
    return edit
