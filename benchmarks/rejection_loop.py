"""Constrained drafting against the paper's rejection loop: one model, only the grammar differs.

    python benchmarks/rejection_loop.py --bank FILE [--k 1,2,3,4,6] [--reports N] [--rounds N]
                                        [--temperature T] [--minutes M] [--json FILE]

For each k, reports of k statements are planned from one bank (``syncxr audit``) and drafted by the
same small model, with the same examples, rounds, temperature and verification, in three ways:

- ``grammar``: both sections in one completion held to a grammar (``strategy: grammar``);
- ``loop``: the paper's two steps, each section written freely and again by itself until it
  verifies (``strategy: two-step``);
- ``one a call``: free as well, but a call for each statement, which shows the model the examples
  one statement and its sentence at a time: what a small model does best without a grammar. Each
  sentence, and its summary, is written again by itself until it verifies.

Printed: reports that are accepted in the end and in the first round, accepted reports a minute and
a minute of processor time, tokens per accepted report. Bar: at k = 4, the grammar gives at least 5
times as many accepted reports a minute as the loop. Where a way has no report accepted, its rate is
given by its upper 95 % limit, 3 in the time it took (rule of three).
"""

from __future__ import annotations

import argparse
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncxr.entities.bank import Bank
from syncxr.entities.extraction import entities_of, extract
from syncxr.entities.sampling import SamplingOptions, plan
from syncxr.factory.drafts import DraftStage
from syncxr.factory.rounds import History, Outcome, Task, run_rounds
from syncxr.progress import console
from syncxr.registry import BackendSpec
from syncxr.reports.draft import DraftRequest, statement
from syncxr.reports.drafting import DraftingOptions
from syncxr.reports.templates import EXAMPLES, load_template
from syncxr.reports.two_step import impression_prompt
from syncxr.reports.verification import verify_findings, verify_impression
from syncxr.reports.writer import Completion, Prompt
from syncxr.reports.writers.llamacpp import LlamaCppOptions, LlamaCppWriter
from syncxr.sample import Entity, Polarity, Sample
from syncxr.views.console import write_json

BAR = 5.0
BAR_AT = 4
BATCH = 5
WAYS = ("grammar", "loop", "one a call")

_TASK = (
    "Statements of chest radiograph reports, each with a sentence of plain radiology prose that "
    "says it and nothing else.\n\n"
)


@dataclass(frozen=True)
class Drafted:
    """What one way made of the reports: numbers of reports, and tokens in all."""

    accepted: int
    first: int
    tokens: float


Way = Callable[[Sequence[Sample]], Drafted]


def by_stage(strategy: str, temperature: float, rounds: int) -> Way:
    """As the factory drafts."""
    options = DraftingOptions.model_validate({"strategy": strategy, "temperature": temperature})
    stage = DraftStage(BackendSpec(name="llamacpp"), options, rounds)
    stage.setup()

    def draft(samples: Sequence[Sample]) -> Drafted:
        result = stage.process(samples, lambda _: None)
        attempts = [sample.provenance["draft"]["attempts"] for sample in samples]
        return Drafted(
            len(result.accepted),
            result.statistics["first drafts accepted"],
            sum(made["scores"]["tokens"] for history in attempts for made in history),
        )

    return draft


class OneACall:
    """A free sentence for each statement, then a free summary of each sentence that needs one."""

    def __init__(self, temperature: float, rounds: int) -> None:
        self._writer = LlamaCppWriter(LlamaCppOptions())
        self._options = DraftingOptions(strategy="two-step", temperature=temperature)
        self._rounds = rounds
        self._examples = [sentence_examples(name) for name in EXAMPLES]

    def __call__(self, samples: Sequence[Sample]) -> Drafted:
        """Write sentences, then summaries of those reports whose sentences all verified."""
        statements = {
            f"{sample.id}/{number}": (entity,)
            for sample in samples
            for number, entity in enumerate(sample.entities)
        }
        sentences = self._until_verified(
            statements,
            lambda task: self._sentence_prompt(task, statements[task.id][0]),
            verify_findings,
        )
        findings = {
            sample.id: [sentences[f"{sample.id}/{n}"] for n in range(len(sample.entities))]
            for sample in samples
        }
        whole = [sample for sample in samples if all(made.outcome for made in findings[sample.id])]
        texts = {
            id: part
            for sample in whole
            for id, part in _to_sum_up(sample, [_text(made) for made in findings[sample.id]])
        }
        summaries = self._until_verified(
            {id: entities for id, (_, entities) in texts.items()},
            lambda task: impression_prompt(
                DraftRequest(task.id, texts[task.id][1], task.seed),
                texts[task.id][0],
                self._options,
            ),
            verify_impression,
        )
        return self._counted(samples, findings, summaries)

    def _counted(
        self,
        samples: Sequence[Sample],
        findings: dict[str, list[History[Completion]]],
        summaries: dict[str, History[Completion]],
    ) -> Drafted:
        accepted = first = 0
        for sample in samples:
            summed = [made for id, made in summaries.items() if id.startswith(f"{sample.id}/")]
            parts = [*findings[sample.id], *summed]
            if not summed or not all(made.outcome for made in parts):
                continue
            told = " ".join(_text(made) for made in findings[sample.id])
            summary = " ".join(_text(made) for made in summed)
            good = not verify_findings(told, sample.entities)
            good = good and not verify_impression(summary, sample.entities)
            accepted += good
            first += good and all(len(made.attempts) == 1 for made in parts)
        calls = [made for parts in findings.values() for made in parts] + [*summaries.values()]
        tokens = sum(each["scores"]["tokens"] for made in calls for each in made.attempts)
        return Drafted(accepted, first, tokens)

    def _until_verified(
        self,
        wanted: dict[str, tuple[Entity, ...]],
        prompt: Callable[[Task], Prompt],
        verify: Callable[[str, Sequence[Entity]], tuple[str, ...]],
    ) -> dict[str, History[Completion]]:
        def attempt(tasks: Sequence[Task]) -> Iterator[Outcome[Completion]]:
            completions = self._writer.write([prompt(task) for task in tasks])
            for task, made in zip(tasks, completions, strict=True):
                reasons = verify(" ".join(made.text.split()), wanted[task.id])
                yield Outcome(made, reasons, {"tokens": float(made.tokens)})

        return run_rounds(list(wanted), "free", attempt, self._rounds)

    def _sentence_prompt(self, task: Task, entity: Entity) -> Prompt:
        # Whose examples come first is drawn by the seed, as everywhere.
        examples = self._examples[task.seed % len(self._examples)]
        text = f"{_TASK}{examples}\n\nSTATEMENT: {statement(entity)}\nSENTENCE:"
        temperature = self._options.temperature
        return Prompt(text, max_tokens=48, seed=task.seed, temperature=temperature, stop=("\n",))


def _to_sum_up(
    sample: Sample, sentences: Sequence[str]
) -> Iterator[tuple[str, tuple[str, tuple[Entity, ...]]]]:
    """Id to text and what it says: each sentence that must be summed up, or else the whole."""
    positive = [n for n, e in enumerate(sample.entities) if e.polarity is Polarity.PRESENT]
    for n in positive:
        yield f"{sample.id}/{n}", (sentences[n], (sample.entities[n],))
    if not positive:
        yield f"{sample.id}/all", (" ".join(sentences), sample.entities)


def _text(made: History[Completion]) -> str:
    assert made.last is not None
    return " ".join(made.last.result.text.split())


def sentence_examples(name: str) -> str:
    """The examples of a prompt, one statement and its sentence at a time."""
    blocks = re.findall(r"STATEMENTS: (.+)\nFINDINGS: (.+)\n", load_template(name).text)
    said = {
        str(entity): sentence
        for _, findings in blocks
        for sentence in re.split(r"(?<=\.) ", findings)
        if len(found := entities_of(extract(sentence))) == 1
        for entity in found
    }
    return "\n\n".join(f"STATEMENT: {told}\nSENTENCE: {words}" for told, words in said.items())


def measure(way: Way, samples: Sequence[Sample], limit: float) -> dict[str, float]:
    """Run one way over reports that it has not seen, for ``limit`` minutes or to the last."""
    used, start = _processor_seconds(), time.perf_counter()
    reports = accepted = first = 0
    tokens = minutes = 0.0
    while reports < len(samples) and minutes < limit:
        part = samples[reports : reports + BATCH]
        made = way(part)
        reports += len(part)
        accepted, first, tokens = accepted + made.accepted, first + made.first, tokens + made.tokens
        minutes = (time.perf_counter() - start) / 60
    processor = (_processor_seconds() - used) / 60
    counted = accepted or 3  # Rule of three.
    return {
        "reports": reports,
        "accepted": accepted,
        "acceptance": accepted / reports,
        "first_round_acceptance": first / reports,
        "tokens": tokens,
        "tokens_per_accepted": tokens / counted,
        "minutes": minutes,
        "accepted_per_minute": counted / minutes,
        "accepted_per_processor_minute": counted / processor,
    }


def _processor_seconds() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def reports_of(bank: Bank, k: int, count: int) -> list[Sample]:
    """Planned reports of ``k`` statements."""
    options = SamplingOptions(
        pairs=count, k=k, m=0, tau_max="auto", normal_fraction=0.3, allow_unshown=True, seed=k
    )
    planned = list(plan(bank, options, lambda _: True))[:count]
    return [Sample(report.id, report.entities) for report in planned]


def main() -> None:
    """Plan, draft, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bank", type=Path, required=True, help="bank.parquet of `syncxr audit`")
    parser.add_argument("--k", default="1,2,3,4,6", help="statements a report")
    parser.add_argument("--reports", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--temperature", type=float, default=0.3)
    parser.add_argument(
        "--minutes", type=float, default=1.5, help="after which a way stops, each k"
    )
    parser.add_argument("--json", help="file for the figures, '-' = stdout")
    arguments = parser.parse_args()

    bank = Bank.read(arguments.bank)
    ways: dict[str, Way] = {
        "grammar": by_stage("grammar", arguments.temperature, arguments.rounds),
        "loop": by_stage("two-step", arguments.temperature, arguments.rounds),
        "one a call": OneACall(arguments.temperature, arguments.rounds),
    }
    result: dict[str, Any] = {"bar": BAR, "bar_at_k": BAR_AT, "k": {}}
    result |= {name: getattr(arguments, name) for name in ("reports", "rounds", "temperature")}
    for k in map(int, arguments.k.split(",")):
        warm, *samples = reports_of(bank, k, arguments.reports + 1)
        figures = {}
        for name, way in ways.items():
            way([warm])  # Loads the model and reads the examples before the clock starts.
            figures[name] = measure(way, samples, arguments.minutes)
            show(k, name, figures[name])
        result["k"][k] = figures | {"ratios": ratios(figures)}
        console.print(f"k = {k}: grammar against the others: {result['k'][k]['ratios']}")
        if arguments.json and arguments.json != "-":
            write_json(result, Path(arguments.json))
    if arguments.json == "-":
        write_json(result, Path("-"))


def ratios(figures: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many times more reports a minute the grammar gives; a lower limit where none passed."""
    rate = "accepted_per_minute"
    return {
        name: round(figures["grammar"][rate] / figures[name][rate], 1)
        for name in WAYS
        if name != "grammar"
    }


def show(k: int, name: str, figures: dict[str, float]) -> None:
    """One line on stderr."""
    limit = "" if figures["accepted"] else "≤ "
    least = "" if figures["accepted"] else "≥ "
    console.print(
        f"k = {k}  {name:10}  accepted {figures['accepted']:.0f} of {figures['reports']:.0f}, "
        f"first round {figures['first_round_acceptance']:.2f}, "
        f"{limit}{figures['accepted_per_minute']:.1f} a minute, "
        f"{limit}{figures['accepted_per_processor_minute']:.1f} a processor minute, "
        f"{least}{figures['tokens_per_accepted']:.0f} tokens each"
    )


if __name__ == "__main__":
    main()
