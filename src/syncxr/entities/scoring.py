"""How well the extractor agrees with the human MeSH labels of the Open-i reports.

The 14 findings are those of ChestX-ray14 (Wang et al., CVPR 2017). ``mesh.yaml`` says which
labels count for a finding, ``findings.yaml`` which concepts. Vocabulary and rules were tuned on
reports with even numbers; those with odd numbers are for one final score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from rich.box import SIMPLE
from rich.table import Table

from syncxr.corpora import openi
from syncxr.corpora.report import Report
from syncxr.entities.extraction import Extractor, Mention, default_extractor
from syncxr.sample import Polarity

Half = Literal["even", "odd", "all"]

COMMON = 40
"""A finding with at least so many positive reports takes part in the headline averages."""

MICRO_BAR = 0.90
MACRO_BAR = 0.88


class MeshRule(BaseModel):
    """One rule of ``mesh.yaml``: which labels count.

    Attributes:
        heads: MeSH heads, any of which counts.
        required: Subheads of which the label must have one, if any are given.
        without: Subheads of which the label must have none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    heads: frozenset[str]
    required: frozenset[str] = Field(default=frozenset(), alias="with")
    without: frozenset[str] = frozenset()

    def matches(self, label: str) -> bool:
        """Whether a label such as ``"Thickening/pleura/left"`` counts."""
        head, *subheads = (part.strip() for part in label.split("/"))
        if head not in self.heads or not self.without.isdisjoint(subheads):
            return False
        return not self.required or not self.required.isdisjoint(subheads)


class MeshTable(BaseModel):
    """``mesh.yaml``.

    Attributes:
        unindexed: Heads that say a report was not indexed.
        findings: Finding to its rules.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unindexed: frozenset[str]
    findings: dict[str, tuple[MeshRule, ...]]

    def read(self, labels: Iterable[str]) -> frozenset[str]:
        """Findings that the labels of one report name."""
        labels = tuple(labels)
        return frozenset(
            finding
            for finding, rules in self.findings.items()
            if any(rule.matches(label) for rule in rules for label in labels)
        )

    def indexed(self, report: Report) -> bool:
        """Whether a report has labels to score against, and a text to read."""
        return bool(report.text and report.labels) and self.unindexed.isdisjoint(report.labels)


class Estimate(BaseModel):
    """A figure with its 95 % interval.

    Attributes:
        value: On all reports.
        low: 2.5th percentile over bootstrap resamples of the reports.
        high: 97.5th percentile.
    """

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class FindingScore(BaseModel):
    """Agreement on one finding.

    Attributes:
        finding: ChestX-ray14's name.
        n: Reports labelled with it, of those scored.
        n_all: The same in both halves; decides whether it is common.
        true_positives: Read and labelled.
        false_positives: Read, not labelled.
        false_negatives: Labelled, not read.
        precision: In [0, 1]; 0 where nothing was read.
        recall: In [0, 1]; 0 where nothing is labelled.
        f1: With its interval.
    """

    model_config = ConfigDict(frozen=True)

    finding: str
    n: int
    n_all: int
    true_positives: int
    false_positives: int
    false_negatives: int
    precision: float
    recall: float
    f1: Estimate


class AverageScore(BaseModel):
    """Averages over some findings.

    Attributes:
        over: Which findings, in words.
        findings: Their names.
        micro_f1: F1 of the pooled counts.
        macro_f1: Mean of the findings' F1.
    """

    model_config = ConfigDict(frozen=True)

    over: str
    findings: tuple[str, ...]
    micro_f1: Estimate
    macro_f1: Estimate


class ExtractionScore(BaseModel):
    """What ``syncxr audit --score`` prints.

    Attributes:
        half: Report numbers that were scored.
        n_reports: Indexed reports with a text in that half.
        resamples: Bootstrap resamples behind each interval.
        findings: One row a finding.
        averages: The headline first: findings common in the whole collection; then those common
            in the half, then all.
    """

    model_config = ConfigDict(frozen=True)

    half: Half
    n_reports: int
    resamples: int
    findings: tuple[FindingScore, ...]
    averages: tuple[AverageScore, ...]

    @property
    def passed(self) -> bool:
        """Whether the headline averages reach :data:`MICRO_BAR` and :data:`MACRO_BAR`."""
        headline = self.averages[0]
        return headline.micro_f1.value >= MICRO_BAR and headline.macro_f1.value >= MACRO_BAR


class Disagreement(BaseModel):
    """One finding of one report on which text and labels differ.

    Attributes:
        report: Id; the text itself is not repeated here.
        finding: ChestX-ray14's name.
        kind: ``"false positive"`` (read, not labelled) or ``"false negative"``.
    """

    model_config = ConfigDict(frozen=True)

    report: str
    finding: str
    kind: Literal["false positive", "false negative"]


def load_mesh() -> MeshTable:
    """The table of MeSH heads that ships with the package."""
    return MeshTable(**_load("mesh.yaml"))


def findings_of(mentions: Iterable[Mention]) -> frozenset[str]:
    """ChestX-ray14 findings that the mentions of one report state."""
    stated = {
        mention.entity.concept
        for mention in mentions
        if mention.entity.polarity is Polarity.PRESENT or mention.probable
    }
    return frozenset(
        finding for finding, concepts in _concepts().items() if not concepts.isdisjoint(stated)
    )


def score(
    reports: Iterable[Report] | None = None,
    half: Half = "odd",
    extractor: Extractor | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> ExtractionScore:
    """Score the extractor against the MeSH labels.

    Args:
        reports: Labelled Open-i reports of both halves; ``None`` reads the pinned archive.
        half: Which report numbers to score.
        extractor: ``None`` takes the default.
        resamples: Bootstrap resamples; reports are drawn with replacement.
        seed: Of the bootstrap.
    """
    everything = _indexed(reports)
    scored = [report for report in everything if _in_half(report, half)]
    names = tuple(load_mesh().findings)
    totals = _labelled(everything).sum(axis=0)
    labelled, read = _labelled(scored), _read(scored, extractor)
    outcomes = np.stack([labelled & read, ~labelled & read, labelled & ~read], axis=2)
    counts = outcomes.sum(axis=0)
    drawn = _resample(outcomes, resamples, seed)
    return ExtractionScore(
        half=half,
        n_reports=len(scored),
        resamples=resamples,
        findings=tuple(
            _finding(name, int(totals[i]), counts[i], drawn[:, i]) for i, name in enumerate(names)
        ),
        averages=(
            _average(f"n ≥ {COMMON} in the collection", names, totals >= COMMON, counts, drawn),
            _average(
                f"n ≥ {COMMON} in this half", names, labelled.sum(axis=0) >= COMMON, counts, drawn
            ),
            _average("any n", names, totals >= 0, counts, drawn),
        ),
    )


def disagreements(
    reports: Iterable[Report] | None = None,
    half: Half = "odd",
    extractor: Extractor | None = None,
) -> list[Disagreement]:
    """Where text and labels differ, by report number and finding."""
    scored = [report for report in _indexed(reports) if _in_half(report, half)]
    labelled, read = _labelled(scored), _read(scored, extractor)
    names = tuple(load_mesh().findings)
    return [
        Disagreement(
            report=scored[i].id,
            finding=names[j],
            kind="false positive" if read[i, j] else "false negative",
        )
        for i, j in np.argwhere(labelled != read)
    ]


def score_table(result: ExtractionScore) -> Table:
    """The score as a table for the terminal."""
    table = Table(
        box=SIMPLE,
        title=f"Extractor against MeSH, Open-i, {result.half} report numbers, "
        f"{result.n_reports} reports",
        caption=f"95 % intervals from {result.resamples} bootstrap resamples of the reports. "
        f"Averages over the findings with {'; '.join(a.over for a in result.averages)}. "
        f"Bars, on the first: micro {MICRO_BAR:.2f}, macro {MACRO_BAR:.2f}.",
    )
    for column in ("finding", "n", "in all", "prec.", "recall", "F1 [95 %]"):
        table.add_column(column, justify="left" if column == "finding" else "right", no_wrap=True)
    for row in result.findings:
        figures = (f"{row.precision:.3f}", f"{row.recall:.3f}", str(row.f1))
        table.add_row(row.finding, str(row.n), str(row.n_all), *figures)
    for average in result.averages:
        table.add_section()
        of = f"of {len(average.findings)}"
        table.add_row(f"micro {of}", "", "", "", "", str(average.micro_f1))
        table.add_row(f"macro {of}", "", "", "", "", str(average.macro_f1))
    return table


@cache
def _concepts() -> dict[str, frozenset[str]]:
    return {finding: frozenset(names) for finding, names in _load("findings.yaml").items()}


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))
    return loaded


def _indexed(reports: Iterable[Report] | None) -> list[Report]:
    mesh = load_mesh()
    return [r for r in (openi.read_reports() if reports is None else reports) if mesh.indexed(r)]


def _in_half(report: Report, half: Half) -> bool:
    return half == "all" or (openi.number(report) % 2 == 1) is (half == "odd")


def _labelled(reports: Sequence[Report]) -> NDArray[np.bool_]:
    """Labels as a matrix, shape (reports, findings)."""
    mesh = load_mesh()
    return _matrix([mesh.read(report.labels) for report in reports], tuple(mesh.findings))


def _read(reports: Sequence[Report], extractor: Extractor | None) -> NDArray[np.bool_]:
    """Findings read from the texts as a matrix, shape (reports, findings)."""
    mentions = (extractor or default_extractor()).extract([report.text for report in reports])
    return _matrix([findings_of(own) for own in mentions], tuple(load_mesh().findings))


def _matrix(sets: Sequence[frozenset[str]], names: Sequence[str]) -> NDArray[np.bool_]:
    rows = [[name in own for name in names] for own in sets]
    return np.array(rows, dtype=np.bool_).reshape(len(sets), len(names))


def _resample(outcomes: NDArray[np.bool_], resamples: int, seed: int) -> NDArray[np.int64]:
    """Counts of resampled reports: (resamples, findings, 3) from (reports, findings, 3)."""
    n = len(outcomes)
    rng = np.random.default_rng(seed)
    weights = (
        rng.multinomial(n, np.full(n, 1 / n), size=resamples) if n else np.zeros((resamples, 0))
    )
    flat = weights @ outcomes.reshape(n, -1).astype(np.int64)
    return np.asarray(flat.reshape(resamples, *outcomes.shape[1:]), dtype=np.int64)


def _f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 from true positives, false positives, false negatives on the last axis; NaN for none."""
    true, false_positive, false_negative = (counts[..., k].astype(float) for k in range(3))
    total = 2 * true + false_positive + false_negative
    return np.where(total > 0, 2 * true / np.maximum(total, 1), np.nan)


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn.size else (np.nan, np.nan)
    return Estimate(value=value, low=float(low), high=float(high))


def _finding(
    name: str, n_all: int, counts: NDArray[np.int64], drawn: NDArray[np.int64]
) -> FindingScore:
    true, false_positive, false_negative = (int(c) for c in counts)
    return FindingScore(
        finding=name,
        n=true + false_negative,
        n_all=n_all,
        true_positives=true,
        false_positives=false_positive,
        false_negatives=false_negative,
        precision=true / max(1, true + false_positive),
        recall=true / max(1, true + false_negative),
        f1=_estimate(float(_f1(counts)), _f1(drawn)),
    )


def _average(
    over: str,
    names: Sequence[str],
    kept: NDArray[np.bool_],
    counts: NDArray[np.int64],
    drawn: NDArray[np.int64],
) -> AverageScore:
    """Averages over the findings where ``kept``; a finding without any case is left out."""
    kept = kept & (counts.sum(axis=1) > 0)
    if not kept.any():
        nothing = Estimate(value=np.nan, low=np.nan, high=np.nan)
        return AverageScore(over=over, findings=(), micro_f1=nothing, macro_f1=nothing)
    macro = np.nanmean(_f1(drawn[:, kept]), axis=1)
    return AverageScore(
        over=over,
        findings=tuple(name for name, keep in zip(names, kept, strict=True) if keep),
        micro_f1=_estimate(float(_f1(counts[kept].sum(axis=0))), _f1(drawn[:, kept].sum(axis=1))),
        macro_f1=_estimate(float(np.nanmean(_f1(counts[kept]))), macro),
    )
