"""Reports from statements: FINDINGS, then IMPRESSION, by a language model within a grammar."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from syncxr.sample import Category, Entity, Polarity

_PROMPT_FILE = Path(__file__).parent / "prompts" / "report.txt"
_HEADING = "\nIMPRESSION:"

# Denials that one sentence may join, and findings up to which IMPRESSION may also deny: more
# would make sentences nobody writes and an IMPRESSION that CLIP cuts off.
_JOINED = 3
_SHORT = 4

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
        provenance: Seed.
    """

    id: str
    findings: str
    impression: str
    tokens: int
    provenance: dict[str, Any] = field(default_factory=dict)


def draft(
    requests: Sequence[DraftRequest],
    writer: Writer,
    options: DraftingOptions | None = None,
) -> list[Draft]:
    """Write one report a request, in order.

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
    drafts = []
    for request, completion in zip(requests, writer.write(prompts), strict=True):
        findings, _, impression = completion.text.partition(_HEADING)
        drafts.append(
            Draft(
                request.id,
                findings.strip(),
                impression.strip(),
                completion.tokens,
                {"seed": request.seed},
            )
        )
    return drafts


def provenance(writer: Writer, options: DraftingOptions | None = None) -> dict[str, Any]:
    """What made the text of a whole dataset, JSON values only."""
    return {
        "prompt_sha256": hashlib.sha256(_PROMPT_FILE.read_bytes()).hexdigest(),
        "phrases_sha256": hashlib.sha256(PHRASES_FILE.read_bytes()).hexdigest(),
        "options": (options or DraftingOptions()).model_dump(),
        "writer": writer.provenance(),
    }


def prompt_text(request: DraftRequest) -> str:
    """What the model reads: examples, the statements in the report's order, and the heading."""
    statements = "; ".join(str(entity) for entity in _ordered(request))
    return _prompt_template().replace("{statements}", statements)


def report_grammar(request: DraftRequest) -> Grammar:
    """Every report that says the entities of a request in its order."""
    wording = load_wording()
    entities = _ordered(request)
    return Grammar(
        chain(*_findings(entities, wording), Text(_HEADING), _impression(entities, wording))
    )


@cache
def _prompt_template() -> str:
    return _PROMPT_FILE.read_text("utf-8").rstrip("\n")


def _findings(entities: Sequence[Entity], wording: Wording) -> list[Phrase]:
    """Sentences in order; neighbouring plain denials may share one."""
    phrases: list[Phrase] = []
    run: list[Entity] = []
    for entity in entities:
        if _plainly_denied(entity) and len(run) < _JOINED:
            run.append(entity)
            continue
        phrases += _denials(run, wording)
        run = [entity] if _plainly_denied(entity) else []
        if not run:
            phrases.append(wording.sentence(entity))
    return phrases + _denials(run, wording)


def _denials(run: Sequence[Entity], wording: Wording) -> list[Phrase]:
    if not run:
        return []
    apart = chain(*(wording.sentence(entity) for entity in run))
    return [choice(apart, wording.denial(run))]


def _impression(entities: Sequence[Entity], wording: Wording) -> Phrase:
    """Every finding; where it is short, a denial or that all is normal besides."""
    found = [e for e in entities if e.polarity is not Polarity.ABSENT]
    denied = [e for e in entities if _plainly_denied(e)][:_JOINED]
    denial = wording.denial(denied) if denied else None
    if not found:
        normal = wording.normal_impression()
        return choice(normal, denial, chain(normal, denial)) if denial else normal
    summary = chain(*(wording.summary(entity) for entity in found))
    short = denial is not None and len(found) + len(denied) <= _SHORT
    return choice(summary, chain(summary, denial)) if denial and short else summary


def _plainly_denied(entity: Entity) -> bool:
    """Whether a denial names neither place nor severity, so that it can share a sentence."""
    denied = entity.polarity is Polarity.ABSENT and entity.category is not Category.ANATOMY
    return denied and not entity.location and not entity.severity


def _ordered(request: DraftRequest) -> list[Entity]:
    """Region by region; in each what is found, then what is normal, then what is denied."""
    rng = np.random.default_rng(request.seed)
    order = _ORDERS[int(rng.integers(len(_ORDERS)))]
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
