"""Reports by a free language model in the paper's two steps: FINDINGS, then IMPRESSION of them.

Source: Liu et al., Findings of ACL 2025, section 3: an LLM writes FINDINGS from the drawn entities,
then IMPRESSION as a summary of that FINDINGS; a section that does not verify is written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from syncxr.reports.draft import Draft, DraftRequest, statement
from syncxr.reports.options import DraftingOptions
from syncxr.reports.templates import EXAMPLES, examples, load_template
from syncxr.reports.writer import Completion, Prompt, Writer
from syncxr.sample import Entity, derive_seed

IMPRESSION_PROMPT = "impression.txt"

Verify = Callable[[str, Iterable[Entity]], tuple[str, ...]]
"""Reasons why FINDINGS do not say the entities; empty = they do."""


class _Told(NamedTuple):
    """How entities of one vocabulary are put to the model."""

    prompt: str
    words: Callable[[Entity], str]


def _term(entity: Entity) -> str:
    return f"{entity.concept} ({entity.category.value})"


_TOLD = {
    "lexicon": _Told("findings.txt", statement),
    "open": _Told("findings-open.txt", _term),
}

# Where a model goes on that does not know when to stop: with the next section or example.
_STOP = ("\n\n", "\nSTATEMENTS:", "\nFINDINGS:", "\nIMPRESSION:")


def draft(
    requests: Sequence[DraftRequest], writer: Writer, options: DraftingOptions, verify: Verify
) -> Iterator[Draft]:
    """Write what is missing of each report, in order.

    FINDINGS are written where a request brings none; those that verify are summed up. IMPRESSION
    of the others is left empty, as nothing is gained by summing up what will be written again.
    """

    def sound(request: DraftRequest, made: Draft) -> bool:
        if request.findings:
            return True
        return not (made.failure or verify(made.findings, request.entities))

    # Read as they come, while the model writes the next.
    begun = [
        (request, made, sound(request, made))
        for request, made in zip(requests, _with_findings(requests, writer, options), strict=True)
    ]
    prompts = [impression_prompt(r, made.findings, options) for r, made, ready in begun if ready]
    completions = iter(writer.write(prompts))
    for _, made, ready in begun:
        yield _summed_up(made, next(completions)) if ready else made


def provenance(options: DraftingOptions) -> dict[str, Any]:
    """Prompts, JSON values only."""
    names = (_TOLD[options.vocabulary].prompt, IMPRESSION_PROMPT, *EXAMPLES)
    return {"prompts": {name: load_template(name).provenance() for name in names}}


def _summed_up(made: Draft, completion: Completion) -> Draft:
    return replace(
        made,
        impression=_section(completion.text, "IMPRESSION:"),
        tokens=made.tokens + completion.tokens,
        failure=completion.failure,
        prompt_tokens=made.prompt_tokens + completion.prompt_tokens,
    )


def _with_findings(
    requests: Sequence[DraftRequest], writer: Writer, options: DraftingOptions
) -> Iterator[Draft]:
    """One draft a request, so far without IMPRESSION."""
    missing = [request for request in requests if not request.findings]
    completions = iter(writer.write([_findings_prompt(r, options) for r in missing]))
    for request in requests:
        if request.findings:
            yield Draft(request.id, request.findings, "", 0)
            continue
        made = next(completions)
        yield Draft(
            request.id,
            _section(made.text, "FINDINGS:"),
            "",
            made.tokens,
            made.failure,
            made.prompt_tokens,
        )


def _findings_prompt(request: DraftRequest, options: DraftingOptions) -> Prompt:
    told = _TOLD[options.vocabulary]
    order = request.rng("order").permutation(len(request.entities))
    text = load_template(told.prompt).fill(
        examples=examples(request, ("STATEMENTS:", "FINDINGS:")),
        statements="; ".join(told.words(request.entities[index]) for index in order),
    )
    return _prompt(text, request, request.seed, options)


def impression_prompt(request: DraftRequest, findings: str, options: DraftingOptions) -> Prompt:
    """What asks for IMPRESSION of FINDINGS."""
    text = load_template(IMPRESSION_PROMPT).fill(
        examples=examples(request, ("FINDINGS:", "IMPRESSION:")), findings=findings
    )
    seed = derive_seed(request.id, "draft impression", request.seed)
    return _prompt(text, request, seed, options)


def _prompt(text: str, request: DraftRequest, seed: int, options: DraftingOptions) -> Prompt:
    # Twice of what prose takes: a model that goes round in circles is stopped early.
    length = 64 + 32 * len(request.entities)
    return Prompt(text, max_tokens=length, seed=seed, temperature=options.temperature, stop=_STOP)


def _section(text: str, heading: str) -> str:
    """A section in one line, without the heading that some models repeat."""
    return " ".join(text.split()).removeprefix(heading).strip()
