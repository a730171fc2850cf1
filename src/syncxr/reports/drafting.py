"""Reports from statements: FINDINGS, then IMPRESSION, by a language model within a grammar."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from syncxr.entities.lexicon import load_lexicon
from syncxr.reports.grammar import Grammar, Phrase, Text, chain, choice
from syncxr.reports.verification import canonical
from syncxr.reports.wording import PHRASES_FILE, Wording, load_wording
from syncxr.reports.writer import Prompt, Writer
from syncxr.sample import Category, Entity, Polarity, derive_seed

PROMPT_FILES = tuple(sorted((Path(__file__).parent / "prompts").glob("report-*.txt")))
HEADING = "\nIMPRESSION:"

# Denials that one sentence may join.
_JOINED = 3

# Radiologists work from region to region; these are two common orders.
_REGIONS = {
    "heart": ("heart", "cardiomediastinal silhouette", "mediastinum", "aorta", "hila", "trachea"),
    "lungs": ("lungs", "lung volumes", "pulmonary vasculature", "pleura", "costophrenic angles"),
    "below": ("diaphragm", "upper abdomen", "stomach"),
    "bones": ("bones", "ribs", "spine", "soft tissues"),
}
_ORDERS = (
    ("devices", "heart", "lungs", "below", "bones"),
    ("lungs", "heart", "below", "bones", "devices"),
)


class DraftingOptions(BaseModel):
    """Options of :func:`draft`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(
        default=1.0, ge=0, description="Of the choice among phrases; 0 = always the likeliest."
    )


@dataclass(frozen=True)
class DraftRequest:
    """One report to write.

    Attributes:
        id: Sample it belongs to.
        entities: What FINDINGS has to say, no more and no less.
        seed: Decides order and words, with what the writer's engine promises.
    """

    id: str
    entities: tuple[Entity, ...]
    seed: int


@dataclass(frozen=True)
class Draft:
    """One report as written, not yet verified.

    Attributes:
        id: Sample it belongs to.
        findings: FINDINGS section.
        impression: IMPRESSION section.
        tokens: Tokens the model wrote for both.
    """

    id: str
    findings: str
    impression: str
    tokens: int


def draft(
    requests: Sequence[DraftRequest],
    writer: Writer,
    options: DraftingOptions | None = None,
) -> Iterator[Draft]:
    """Write one report a request, in order, each handed over as soon as it is written.

    FINDINGS and IMPRESSION come from one completion: the model reads its own FINDINGS when it
    sums them up, and the prompt is evaluated once.
    """
    options = options or DraftingOptions()
    prompts = [
        Prompt(
            text=prompt_text(request),
            grammar=report_grammar(request).gbnf(),
            max_tokens=64 + 64 * len(request.entities),
            seed=request.seed,
            temperature=options.temperature,
        )
        for request in requests
    ]
    for request, completion in zip(requests, writer.write(prompts), strict=True):
        findings, _, impression = completion.text.partition(HEADING)
        yield Draft(
            request.id,
            findings.strip(),
            impression.strip(),
            completion.tokens,
        )


def provenance(writer: Writer, options: DraftingOptions | None = None) -> dict[str, Any]:
    """What made the text of a whole dataset, JSON values only."""
    return {
        "sha256": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (*PROMPT_FILES, PHRASES_FILE)
        },
        "options": (options or DraftingOptions()).model_dump(),
        "writer": writer.provenance(),
    }


def prompt_text(request: DraftRequest) -> str:
    """What the model reads: examples, the statements in the report's order, and the heading.

    A small model takes its manner from its examples, so there are several sets of them, and the
    seed picks one.
    """
    templates = _prompt_templates()
    template = templates[_rng(request, "prompt").integers(len(templates))]
    statements = "; ".join(_statement(entity) for entity in _ordered(request))
    return template.replace("{statements}", statements)


def report_grammar(request: DraftRequest) -> Grammar:
    """Every report that says the entities of a request in its order."""
    wording = load_wording()
    entities = _ordered(request)
    joined = bool(_rng(request, "denials").random() < 0.5)
    findings = _findings(entities, wording, joined)
    return Grammar(chain(*findings, Text(HEADING), _impression(entities, wording)))


@cache
def _prompt_templates() -> tuple[str, ...]:
    return tuple(path.read_text("utf-8").rstrip("\n") for path in PROMPT_FILES)


def _rng(request: DraftRequest, purpose: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(request.id, f"draft {purpose}", request.seed))


def _statement(entity: Entity) -> str:
    normal_place = entity.category is Category.ANATOMY and entity.location
    return f"normal {entity.location}" if normal_place else str(entity)


def _findings(entities: Sequence[Entity], wording: Wording, joined: bool) -> list[Phrase]:
    """Sentences in order; neighbouring plain denials may share one, and do if ``joined``.

    Left alone, a small model hardly ever joins them, which reads like a form.
    """
    first = next((e for e in entities if e.polarity is Polarity.PRESENT), None)
    phrases: list[Phrase] = []
    for run in _runs(entities, wording):
        apart = chain(*(wording.sentence(entity, opening=entity is first) for entity in run))
        together = wording.denial(run) if len(run) > 1 else apart
        phrases.append(together if joined else choice(apart, together))
    return phrases


def _runs(entities: Sequence[Entity], wording: Wording) -> list[list[Entity]]:
    """``entities`` in order, plain denials that follow one another put together."""
    runs: list[list[Entity]] = []
    for entity in entities:
        joins = runs and wording.joins(entity) and wording.joins(runs[-1][0])
        if joins and len(runs[-1]) < _JOINED:
            runs[-1].append(entity)
        else:
            runs.append([entity])
    return runs


def _impression(entities: Sequence[Entity], wording: Wording) -> Phrase:
    """Every finding; where there is none, that all is normal, which may be said by a denial."""
    found = [e for e in entities if e.polarity is not Polarity.ABSENT]
    if found:
        return chain(*(wording.summary(entity) for entity in found))
    normal = wording.normal_impression()
    denied = [e for e in entities if wording.joins(e) and _region(e) == "lungs"][:_JOINED]
    if not denied:
        return normal
    denial = wording.denial(denied)
    both = chain(normal, denial)
    # One denial alone ("No tuberculosis.") would answer a question that nobody asked.
    return choice(normal, both, denial) if len(denied) > 1 else choice(normal, both)


def _ordered(request: DraftRequest) -> list[Entity]:
    """Region by region; in each what is found, then what is normal, then what is denied."""
    order = _ORDERS[_rng(request, "order").integers(len(_ORDERS))]
    ranks = {Polarity.PRESENT: 0, Polarity.UNCERTAIN: 1, Polarity.ABSENT: 3}

    def key(entity: Entity) -> tuple[int, int, Entity]:
        normal = entity.category is Category.ANATOMY
        return order.index(_region(entity)), 2 if normal else ranks[entity.polarity], entity

    return sorted(canonical(request.entities), key=key)


def _region(entity: Entity) -> str:
    if entity.category is Category.ANATOMY:
        organ = entity.concept
    elif load_wording().is_device(entity):
        return "devices"
    else:
        organ = load_lexicon().concepts[entity.concept].organ
    return next((name for name, organs in _REGIONS.items() if organ in organs), "bones")
