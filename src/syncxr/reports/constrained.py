"""Reports by a language model that is held to a grammar of what may be said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, overload

from syncxr.entities.lexicon import load_lexicon
from syncxr.reports.draft import Draft, DraftRequest, statement
from syncxr.reports.grammar import Grammar, Phrase, Text, chain, choice
from syncxr.reports.options import DraftingOptions
from syncxr.reports.templates import EXAMPLES, examples, load_template
from syncxr.reports.verification import canonical
from syncxr.reports.wording import PHRASES_FILE, Wording, load_wording
from syncxr.reports.writer import Prompt, Writer
from syncxr.sample import Category, Entity, Polarity

PROMPT = "report.txt"
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


def draft(
    requests: Sequence[DraftRequest], writer: Writer, options: DraftingOptions
) -> Iterator[Draft]:
    """Write one report a request, in order, each handed over as soon as it is written.

    FINDINGS and IMPRESSION come from one completion: the model reads its own FINDINGS when it
    sums them up, and the prompt is evaluated once.
    """
    prompts = _Prompts(requests, options)
    for request, completion in zip(requests, writer.write(prompts), strict=True):
        findings, _, impression = completion.text.partition(HEADING)
        yield Draft(
            request.id,
            findings.strip(),
            impression.strip(),
            completion.tokens,
            completion.failure,
            completion.prompt_tokens,
        )


class _Prompts(Sequence[Prompt]):
    """Prompts that are made as a writer takes them: a server is not kept waiting for the last."""

    def __init__(self, requests: Sequence[DraftRequest], options: DraftingOptions) -> None:
        self._requests = requests
        self._options = options

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, index: int) -> Prompt: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Prompt]: ...

    def __getitem__(self, index: int | slice) -> Prompt | Sequence[Prompt]:
        if isinstance(index, slice):
            return _Prompts(self._requests[index], self._options)
        request = self._requests[index]
        return Prompt(
            text=prompt_text(request),
            grammar=report_grammar(request),
            max_tokens=64 + 64 * len(request.entities),
            seed=request.seed,
            temperature=self._options.temperature,
        )


def provenance() -> dict[str, Any]:
    """Prompts and phrases, JSON values only."""
    phrases = hashlib.sha256(PHRASES_FILE.read_bytes()).hexdigest()
    return {
        "prompts": {name: load_template(name).provenance() for name in (PROMPT, *EXAMPLES)},
        "phrases_sha256": phrases,
    }


def prompt_text(request: DraftRequest) -> str:
    """What the model reads: examples, the statements in the report's order, and the heading."""
    return load_template(PROMPT).fill(
        examples=examples(request, ("STATEMENTS:", "FINDINGS:", "IMPRESSION:")),
        statements="; ".join(statement(entity) for entity in _ordered(request)),
    )


def report_grammar(request: DraftRequest) -> Grammar:
    """Every report that says the entities of a request in its order."""
    wording = load_wording()
    entities = _ordered(request)
    joined = bool(request.rng("denials").random() < 0.5)
    findings = _findings(entities, wording, joined)
    return Grammar(chain(*findings, Text(HEADING), _impression(entities, wording)))


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
    order = _ORDERS[request.rng("order").integers(len(_ORDERS))]
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
