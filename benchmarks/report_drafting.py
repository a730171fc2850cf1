"""Reports by the language model against two ways to write them without it, beside the bars.

    python benchmarks/report_drafting.py --plan FILE [--reports N] [--blind FOLDER] [--json FILE]
    python benchmarks/report_drafting.py --bank FILE …   (the paper's loop: see rejection_loop.py)

From one plan (``syncxr plan``), each report is written by

- ``model``: the language model within the grammar, as the factory does;
- ``walk``: a uniform random walk through the same grammar;
- ``template``: one template an entity.

Printed: first-round acceptance, reports a minute, tokens, distinct-n, self-BLEU, perplexity under
the language model itself, and the most repeated sentence with a positive finding. With
``--blind``, 50 reports of each are written out shuffled, with the key in a file of its own.

distinct-n: Li et al., NAACL 2016. self-BLEU: Zhu et al., SIGIR 2018 (BLEU-4 of each text against
100 others, smoothed by adding one to each count).
"""

from __future__ import annotations

import argparse
import json
import math
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import rejection_loop
from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.plan import Plan
from syncxr.progress import bar, console
from syncxr.reports.constrained import HEADING, prompt_text, report_grammar
from syncxr.reports.drafting import Draft, DraftRequest, draft
from syncxr.reports.grammar import Grammar, Text
from syncxr.reports.verification import verify_findings, verify_impression
from syncxr.reports.writers.llamacpp import LlamaCppOptions, LlamaCppWriter
from syncxr.sample import Category, Entity, Polarity, derive_seed
from syncxr.views.console import write_json

BARS = {
    "first_round_acceptance": 0.90,
    "reports_per_minute": 50,
    "most_repeated_positive_sentence": 0.02,
}
BATCH = 50
JUDGED = 50
REFERENCES = 100


def by_model(writer: LlamaCppWriter, requests: Sequence[DraftRequest]) -> list[Draft]:
    """As the factory drafts."""
    made: list[Draft] = []
    with bar("model", len(requests)) as progress:
        for first in range(0, len(requests), BATCH):
            batch = requests[first : first + BATCH]
            made += draft(batch, writer)
            progress.advance(len(batch))
    return made


def by_walk(request: DraftRequest) -> Draft:
    """The same grammar, every continuation equally likely."""
    text = report_grammar(request).walk(np.random.default_rng(request.seed))
    return _draft(request, text)


def by_template(request: DraftRequest) -> Draft:
    """One sentence an entity, always the same."""
    sentences = [_template(entity) for entity in request.entities]
    found = [
        _template(entity) for entity in request.entities if entity.polarity is not Polarity.ABSENT
    ]
    impression = " ".join(found) or "Normal chest radiograph."
    return Draft(request.id, " ".join(sentences), impression, 0)


def _template(entity: Entity) -> str:
    if entity.category is Category.ANATOMY:
        place = Location.parse(entity.location)
        alone = "lung" if entity.concept == "lungs" and place.side else entity.concept
        return f"Normal {entity.location if place.zone else f'{place.side} {alone}'.strip()}."
    concept = load_lexicon().concepts[entity.concept]
    sizes = {"mild": "small", "severe": "large"} if concept.scale == "size" else {}
    severity = sizes.get(entity.severity, entity.severity)
    words = [
        {"absent": "no", "uncertain": "possible", "present": ""}[entity.polarity],
        severity,
        entity.location,
        entity.concept,
    ]
    text = " ".join(word for word in words if word)
    return f"{text[0].upper()}{text[1:]}."


def _draft(request: DraftRequest, text: str) -> Draft:
    findings, _, impression = text.partition(HEADING)
    return Draft(request.id, findings.strip(), impression.strip(), 0)


def accepted(requests: Sequence[DraftRequest], drafts: Sequence[Draft]) -> float:
    """Share of reports that verify."""
    passes = [
        not verify_findings(made.findings, request.entities)
        and not verify_impression(made.impression, request.entities)
        for request, made in zip(requests, drafts, strict=True)
    ]
    return sum(passes) / len(passes)


def most_repeated(drafts: Sequence[Draft]) -> tuple[str, float]:
    """The positive-finding sentence that stands in most reports, and in what share."""
    counts: Counter[str] = Counter()
    for made in drafts:
        counts.update(
            {
                sentence
                for sentence in re.split(r"(?<=\.) ", made.findings)
                if any(m.entity.polarity is Polarity.PRESENT for m in extract(sentence))
            }
        )
    sentence, count = counts.most_common(1)[0] if counts else ("", 0)
    return sentence, count / len(drafts)


def tokens_of(made: Draft) -> list[str]:
    """Words and punctuation of FINDINGS, lower case."""
    return re.findall(r"[a-z0-9]+|[^\sa-z0-9]", made.findings.lower())


def _ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[i:] for i in range(n)), strict=False))


def distinct(texts: Sequence[Sequence[str]], n: int) -> float:
    """Different n-grams over all n-grams."""
    grams = [gram for words in texts for gram in _ngrams(words, n)]
    return len(set(grams)) / len(grams)


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """Mean BLEU-4 of each text against others."""
    chosen = list(texts[: REFERENCES + 1])
    grams = [[Counter(_ngrams(words, n)) for n in range(1, 5)] for words in chosen]
    scores = []
    for i, words in enumerate(chosen):
        others = [j for j in range(len(chosen)) if j != i]
        logs = 0.0
        for n in range(4):
            best: Counter[tuple[str, ...]] = Counter()
            for j in others:
                best |= grams[j][n]
            matched = sum((grams[i][n] & best).values())
            logs += math.log((matched + 1) / (sum(grams[i][n].values()) + 1)) / 4
        closest = min((abs(len(chosen[j]) - len(words)), len(chosen[j])) for j in others)[1]
        scores.append(min(1.0, math.exp(1 - closest / max(len(words), 1))) * math.exp(logs))
    return float(np.mean(scores))


def perplexity(
    writer: LlamaCppWriter, requests: Sequence[DraftRequest], drafts: Sequence[Draft]
) -> float:
    """Per token, of reports after their prompts, by the model without any grammar."""
    terms: list[float] = []
    with bar("perplexity", len(drafts)) as progress:
        for request, made in zip(requests, drafts, strict=True):
            text = f"{made.findings}{HEADING} {made.impression}"
            grammar = Grammar(Text(text))
            terms += writer.log_probabilities(prompt_text(request), grammar)
            progress.advance()
    return math.exp(-float(np.mean(terms)))


def write_blind(folder: Path, ways: dict[str, Sequence[Draft]], seed: int) -> None:
    """Shuffled triples, one of each way, and apart from them which is which."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines, key = [], []
    for number in range(min(JUDGED, *(len(drafts) for drafts in ways.values()))):
        order = [list(ways)[i] for i in rng.permutation(len(ways))]
        key.append(order)
        lines.append(f"# {number + 1}\n")
        for letter, name in zip("ABC", order, strict=True):
            made = ways[name][number]
            lines.append(f"{letter}. FINDINGS: {made.findings}\n   IMPRESSION: {made.impression}\n")
    (folder / "reports.txt").write_text("\n".join(lines), "utf-8")
    (folder / "key.json").write_text(json.dumps(key), "utf-8")


def figures(
    writer: LlamaCppWriter, requests: Sequence[DraftRequest], drafts: Sequence[Draft]
) -> dict[str, Any]:
    """Everything that is counted on texts."""
    texts = [tokens_of(made) for made in drafts]
    sentence, share = most_repeated(drafts)
    return {
        "first_round_acceptance": accepted(requests, drafts),
        "words_per_report": float(np.mean([len(words) for words in texts])),
        "distinct_1": distinct(texts, 1),
        "distinct_2": distinct(texts, 2),
        "distinct_3": distinct(texts, 3),
        "self_bleu": self_bleu(texts),
        "perplexity": perplexity(writer, requests[:JUDGED], drafts[:JUDGED]),
        "perplexity_reports": min(JUDGED, len(drafts)),
        "most_repeated_positive_sentence": share,
        "most_repeated_text": sentence,
    }


def main() -> None:
    """Write, count, print."""
    if "--bank" in sys.argv:
        rejection_loop.main()
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--plan", type=Path, required=True, help="plan.parquet of `syncxr plan`")
    parser.add_argument("--reports", type=int, default=300)
    parser.add_argument("--blind", type=Path, help="folder for the blind ranking")
    parser.add_argument("--json", help="file for the figures, '-' = stdout")
    arguments = parser.parse_args()

    planned = list(Plan.read(arguments.plan))[: arguments.reports]
    requests = [
        DraftRequest(report.id, report.entities, derive_seed(report.id, "draft", 0))
        for report in planned
    ]
    writer = LlamaCppWriter(LlamaCppOptions())
    writer.write([])  # loads the model before the clock starts
    used, start = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), time.perf_counter()
    model = by_model(writer, requests)
    minutes = (time.perf_counter() - start) / 60
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - used

    alone: dict[str, Callable[[DraftRequest], Draft]] = {
        "walk": by_walk,
        "template": by_template,
    }
    ways: dict[str, Sequence[Draft]] = {"model": model}
    ways |= {name: [write(request) for request in requests] for name, write in alone.items()}
    result: dict[str, Any] = {
        name: figures(writer, requests, drafts) for name, drafts in ways.items()
    }
    result["model"] |= {
        "reports": len(model),
        "reports_per_minute": len(model) / minutes,
        "cpu_seconds_per_report": used / len(model),
        "tokens_per_report": float(np.mean([made.tokens for made in model])),
    }
    result["bars"] = BARS
    result["writer"] = writer.provenance()
    if arguments.blind:
        write_blind(arguments.blind, ways, seed=0)
    show(result)
    if arguments.json:
        write_json(result, Path(arguments.json))


def show(result: dict[str, Any]) -> None:
    """A table on stderr."""
    names = ("model", "walk", "template")
    console.print(f"{'':34}" + "".join(f"{name:>12}" for name in names) + f"{'bar':>8}")
    for key, value in result["model"].items():
        if isinstance(value, str):
            continue
        row = [result[name].get(key) for name in names]
        cells = "".join(f"{'' if v is None else format(v, '.3f'):>12}" for v in row)
        console.print(f"{key:34}{cells}{BARS.get(key, ''):>8}")
    console.print(f"most repeated: {result['model']['most_repeated_text']}")


if __name__ == "__main__":
    main()
