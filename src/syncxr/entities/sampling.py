"""Balanced sampling: a plan in which rare entities stand as often as common ones.

Source: Liu et al., arXiv 2410.13523, section on balanced entity sampling. Each report takes k
entities from the four finding categories and m from ANATOMY, uniformly; an entity leaves the pool
once it has been used τ_max times in the whole dataset. What is added to it here, and what
"feasible" means, is told in docs/sampling.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from syncxr.entities.bank import Bank, BankEntry, entropy, gini
from syncxr.entities.filling import Filler
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.plan import Plan, PlanFile, PlannedReport, by_category
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity, derive_seed, sample_id

__all__ = ["Plan", "PlannedReport", "SamplingOptions", "balance_report", "plan"]

Shows = Callable[[Entity], bool]
"""Whether the renderer can put a positive finding, with its place, into a film."""

_CLEAR_ZONES = ("", "apex", "base", "upper zone", "mid zone", "lower zone")
_CLEAR_LOBES = ("upper lobe", "middle lobe", "lower lobe")
"""Zones and lobes of which a report says "is clear"; other places only stand with a finding."""

_ATTEMPTS = 4
"""Whole plans drawn before a cap is held to be too small."""


class SamplingOptions(BaseModel):
    """How a dataset is planned. Defaults are the paper's.

    Attributes:
        pairs: Reports in the whole plan.
        k: Entities a report from the four finding categories.
        m: Entities a report from ANATOMY.
        tau_max: Uses an entity may have in the whole dataset; ``"auto"`` = the smallest cap
            that works, found for positive findings, denied findings and ANATOMY each.
        normal_fraction: Share of reports without a positive finding; all others have at least
            one.
        allow_unshown: Draw also positive findings that the renderer cannot show.
        seed: Seed of the plan; part of every id. From 9000 on, ids belong to test sets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pairs: int = Field(200_000, ge=1)
    k: int = Field(9, ge=1)
    m: int = Field(3, ge=0)
    tau_max: int | Literal["auto"] = 15
    normal_fraction: float = Field(0.0, ge=0, le=1)
    allow_unshown: bool = False
    seed: int = Field(0, ge=0, le=8999)


def plan(bank: Bank, options: SamplingOptions, shows: Shows, existing: Plan | None = None) -> Plan:
    """Plan a whole dataset before anything of it is made.

    Args:
        bank: What can be said. Hedged findings, denials with a size and places that neither a
            drawable finding can be at nor a report calls clear are not drawn.
        options: Numbers of the plan.
        shows: Asked about every positive finding, without and with its place.
        existing: An earlier plan to extend; its reports are kept as they are and their uses
            count against the cap.

    Returns:
        ``options.pairs`` reports; the same arguments give the same plan everywhere.

    Raises:
        SyncxrError: The bank cannot make such a plan; a fixed ``tau_max`` is too small, and the
            message names the smallest that works; or ``existing`` is longer than ``pairs``.
    """
    kept = existing.reports if existing else ()
    new = options.pairs - len(kept)
    if new < 0:
        raise SyncxrError(
            f"the plan already has {len(kept)} reports, pairs: {options.pairs} is fewer; "
            f"give pairs ≥ {len(kept)} or start a new run"
        )
    if new == 0:
        return Plan(kept, bank.terms)
    wanted_normal = round(options.normal_fraction * options.pairs)
    normal = min(max(wanted_normal - sum(report.normal for report in kept), 0), new)
    task = _Task.prepare(bank, options, shows, kept, normal)
    contents = _solve(task, options)
    ids = [sample_id(options.seed, index) for index in range(len(kept), options.pairs)]
    taken = {report.id for report in kept} & set(ids)
    if taken:
        raise SyncxrError(f"id {min(taken)!r} is in the existing plan already; change the seed")
    added = tuple(PlannedReport(id, entities) for id, entities in zip(ids, contents, strict=True))
    return Plan(kept + added, bank.terms)


def balance_report(bank: Bank, plan: Plan | PlanFile) -> dict[str, dict[str, float]]:
    """What balancing did: the corpus (real) against the plan, per category and for all.

    ``real`` is measured over the rows that the plan uses, so that both distributions have the
    same support; ``bank`` figures are over all rows of the bank.

    Returns:
        Category (or ``"all"``) to: ``bank_rows``, ``bank_entropy``, ``bank_gini``, ``rows`` (used
        in the plan), ``real_entropy``, ``real_gini``, ``planned_entropy``, ``planned_gini`` (bits;
        ``max_entropy`` = log2 of ``rows``), ``min_use``, ``max_use``.
    """
    real = {entry.entity: entry.count for entry in bank}
    uses = plan.uses()
    groups: dict[str, list[Entity]] = {
        str(category): rows for category, rows in by_category(uses).items()
    }
    report = {}
    for name, rows in {"all": list(uses), **groups}.items():
        in_bank = bank.counts(None if name == "all" else Category(name))
        before = [real.get(row, 0) for row in rows]
        after = [uses[row] for row in rows]
        report[name] = {
            "bank_rows": len(in_bank),
            "bank_entropy": entropy(in_bank),
            "bank_gini": gini(in_bank),
            "rows": len(rows),
            "max_entropy": float(np.log2(len(rows))) if rows else 0.0,
            "real_entropy": entropy(before),
            "real_gini": gini(before),
            "planned_entropy": entropy(after),
            "planned_gini": gini(after),
            "min_use": min(after, default=0),
            "max_use": max(after, default=0),
        }
    return report


@dataclass
class _Task:
    """A plan to be made, in arrays: findings first, then anatomy.

    Attributes:
        findings: Drawable rows of the four finding categories.
        anatomy: Drawable ANATOMY rows.
        used: Earlier uses of all rows, findings before anatomy.
        positive: Which findings are present.
        concept: Number of each finding's concept; a report takes a concept once.
        normal: Of each report whether it is to be normal, in the order of ids.
        rules: What may stand together.
    """

    findings: list[Entity]
    anatomy: list[Entity]
    used_findings: NDArray[np.int64]
    used_anatomy: NDArray[np.int64]
    positive: NDArray[np.bool_]
    concept: NDArray[np.int64]
    normal: list[bool]
    k: int
    m: int
    seed: int
    rules: _Rules = field(repr=False)

    @classmethod
    def prepare(
        cls,
        bank: Bank,
        options: SamplingOptions,
        shows: Shows,
        kept: Sequence[PlannedReport],
        normal: int,
    ) -> _Task:
        """Choose the drawable rows and which reports are normal."""
        seed = derive_seed(sample_id(options.seed, len(kept)), "plan", 0)
        findings = [e.entity for e in bank if _drawable_finding(e, options, shows)]
        rules = _Rules(findings, shows, options.allow_unshown)
        anatomy = [e.entity for e in bank if rules.drawable_anatomy(e.entity)]
        uses = Plan(tuple(kept)).uses()
        n = options.pairs - len(kept)
        flags = np.arange(n) < normal
        np.random.default_rng(seed).shuffle(flags)
        numbers: dict[str, int] = {}
        task = cls(
            findings=findings,
            anatomy=anatomy,
            used_findings=np.array([uses[e] for e in findings], dtype=np.int64),
            used_anatomy=np.array([uses[e] for e in anatomy], dtype=np.int64),
            positive=np.array([e.polarity is Polarity.PRESENT for e in findings], dtype=bool),
            concept=np.array(
                [numbers.setdefault(e.concept, len(numbers)) for e in findings], dtype=np.int64
            ),
            normal=flags.tolist(),
            k=options.k,
            m=options.m,
            seed=seed,
            rules=rules,
        )
        rules.bind(anatomy)
        if normal < n and not task.positive.any():
            raise SyncxrError(
                "the bank holds no positive finding that the renderer shows; set "
                "allow_unshown: true or normal_fraction: 1"
            )
        return task


@dataclass(frozen=True)
class _Caps:
    """Uses an entity may have: of positive findings, of denied ones, of ANATOMY."""

    positive: int
    denied: int
    anatomy: int


def _drawable_finding(entry: BankEntry, options: SamplingOptions, shows: Shows) -> bool:
    entity = entry.entity
    if entity.category is Category.ANATOMY or entity.polarity is Polarity.UNCERTAIN:
        return False
    if entity.polarity is Polarity.ABSENT:
        # "No large effusion" leaves a small one open: no film could be held against it.
        return not entity.severity
    return options.allow_unshown or shows(entity)


# ---------------------------------------------------------------- feasibility by counts


def _findings_fit(task: _Task, positive_cap: int, denied_cap: int) -> bool:
    """Whether the counts allow the findings of all reports; exact up to `excludes`.

    With n0 normal and n1 other reports, and per concept g the uses left a_g of its positive rows
    (at most n1, a report takes a concept once) and b_g of its denied rows:

    1. Σ min(b_g, n0) ≥ n0·k: the normal reports can be filled;
    2. Σ a_g ≥ n1: every other report can have a positive finding;
    3. Σ min(a_g + b_g, n1) − loss ≥ n1·k: the others can be filled, where the loss is what
       normal reports must take beyond the uses that the others could not have had anyway.
    """
    n0 = sum(task.normal)
    n1 = len(task.normal) - n0
    left = np.where(task.positive, positive_cap, denied_cap) - task.used_findings
    left = np.clip(left, 0, n0 + n1)
    concepts = int(task.concept.max(initial=-1)) + 1
    a = np.bincount(task.concept[task.positive], left[task.positive], concepts)
    b = np.bincount(task.concept[~task.positive], left[~task.positive], concepts)
    a = np.minimum(a, n1)
    free = np.minimum(np.minimum(b, n0), np.clip(a + b - n1, 0, None))
    loss = max(0.0, n0 * task.k - float(free.sum()))
    return bool(
        np.minimum(b, n0).sum() >= n0 * task.k
        and a.sum() >= n1
        and np.minimum(a + b, n1).sum() - loss >= n1 * task.k
    )


def _anatomy_fits(task: _Task, cap: int) -> bool:
    n = len(task.normal)
    return int(np.clip(cap - task.used_anatomy, 0, n).sum()) >= n * task.m


def _smallest(works: Callable[[int], bool], low: int, high: int) -> int | None:
    """Smallest value in [low, high] that works, for a monotone ``works``; None if none does."""
    if low > high or not works(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _highest(task: _Task) -> int:
    """The cap beyond which a higher one changes nothing: a report takes an entity once."""
    earlier = max(task.used_findings.max(initial=0), task.used_anatomy.max(initial=0))
    return int(earlier) + len(task.normal)


def _smallest_caps(task: _Task, least: int = 1) -> _Caps | None:
    """Smallest caps that the counts allow; None if none does."""
    high = _highest(task)
    both = _smallest(lambda cap: _findings_fit(task, cap, cap), least, high)
    anatomy = _smallest(lambda cap: _anatomy_fits(task, cap), least, high)
    if both is None or anatomy is None:
        return None
    denied = _smallest(lambda cap: _findings_fit(task, both, cap), least, both) or both
    positive = _smallest(lambda cap: _findings_fit(task, cap, denied), least, both) or both
    return _Caps(positive, denied, anatomy)


# ---------------------------------------------------------------- construction


def _solve(task: _Task, options: SamplingOptions) -> list[tuple[Entity, ...]]:
    if options.tau_max == "auto":
        caps = _smallest_caps(task)
        contents = _build(task, caps) if caps else None
        if contents is None:
            # Contradictions between entities ask for more room than counts alone.
            return _smallest_that_builds(task)[1]
        return contents
    fixed = options.tau_max
    caps = _Caps(fixed, fixed, fixed)
    if _findings_fit(task, fixed, fixed) and _anatomy_fits(task, fixed):
        contents = _build(task, caps)
        if contents is not None:
            return contents
    smallest, _ = _smallest_that_builds(task)
    raise SyncxrError(
        f"tau_max: {fixed} cannot work for {options.pairs} reports with k: {options.k}, "
        f"m: {options.m} and this bank; the smallest that does is {smallest} (or set it to auto)"
    )


def _smallest_that_builds(task: _Task) -> tuple[int, list[tuple[Entity, ...]]]:
    """The smallest one cap for all, with the reports it gives."""
    high = _highest(task)
    found: dict[int, list[tuple[Entity, ...]]] = {}

    def works(cap: int) -> bool:
        if not (_findings_fit(task, cap, cap) and _anatomy_fits(task, cap)):
            return False
        contents = _build(task, _Caps(cap, cap, cap))
        if contents is not None:
            found[cap] = contents
        return contents is not None

    smallest = _smallest(works, 1, high)
    if smallest is None:
        raise SyncxrError(_why_impossible(task, high))
    return smallest, found[smallest]


def _why_impossible(task: _Task, high: int) -> str:
    denied = len(set(task.concept[~task.positive].tolist()))
    concepts = len(set(task.concept.tolist()))
    if any(task.normal) and denied < task.k:
        return (
            f"a normal report needs k: {task.k} different denied findings, the bank has {denied}; "
            "lower k or set normal_fraction: 0"
        )
    if not all(task.normal) and concepts < task.k:
        return (
            f"a report needs k: {task.k} different findings, the bank has {concepts} that can be "
            "drawn; lower k or set allow_unshown: true"
        )
    if not _anatomy_fits(task, high):
        anatomy = len(task.anatomy)
        return f"a report needs m: {task.m} ANATOMY entities, the bank has {anatomy}; lower m"
    return (
        f"no tau_max gives every report k: {task.k} findings and m: {task.m} ANATOMY entities "
        "that do not contradict each other; lower k or m, or give a wider bank"
    )


def _build(task: _Task, caps: _Caps) -> list[tuple[Entity, ...]] | None:
    """Draw all reports; None where contradictions leave a report that cannot be filled.

    Findings are drawn without regard to ANATOMY, so a report may be left without a structure
    that can be called normal; other draws may do better.
    """
    for attempt in range(_ATTEMPTS):
        caps_and_attempt = [caps.positive, caps.denied, caps.anatomy, attempt]
        contents = _draw(task, caps, np.random.default_rng([task.seed, *caps_and_attempt]))
        if contents is not None:
            return contents
    return None


def _draw(task: _Task, caps: _Caps, rng: np.random.Generator) -> list[tuple[Entity, ...]] | None:
    findings = _draw_findings(task, caps, rng)
    if findings is None:
        return None
    for members in findings:
        rng.shuffle(members)
    anatomy = _draw_anatomy(task, caps, findings, rng)
    if anatomy is None:
        return None
    return [
        task.rules.entities(members, places)
        for members, places in zip(findings, anatomy, strict=True)
    ]


def _draw_findings(task: _Task, caps: _Caps, rng: np.random.Generator) -> list[list[int]] | None:
    """Rows of ``task.findings`` for each report.

    First one positive finding for each report that is not normal, then the normal reports, which
    have the narrowest choice, then the rest.
    """
    positive, concept = task.positive.tolist(), task.concept.tolist()
    normal, k, excluded = task.normal, task.k, task.rules.excluded

    def fits(report: int, members: Sequence[int], item: int) -> bool:
        if positive[item]:
            if normal[report]:
                return False
        elif not normal[report] and len(members) >= k - 1 and not any(positive[x] for x in members):
            return False  # the last place is kept for a positive finding
        own, barred = concept[item], excluded[item]
        return not any(concept[x] == own or x in barred for x in members)

    limits = np.where(task.positive, caps.positive, caps.denied)
    left = np.clip(limits - task.used_findings, 0, None)
    filler = Filler(left.tolist(), len(normal), fits, rng)
    abnormal = [report for report, flag in enumerate(normal) if not flag]
    rest = [report for report, flag in enumerate(normal) if flag]
    rows = np.arange(len(positive))
    done = (
        filler.fill(abnormal, 1, rows[task.positive].tolist())
        and filler.fill(rest, k, rows[~task.positive].tolist())
        and filler.fill(abnormal, k, rows.tolist())
    )
    return filler.members if done else None


def _draw_anatomy(
    task: _Task, caps: _Caps, findings: Sequence[Sequence[int]], rng: np.random.Generator
) -> list[list[int]] | None:
    """Rows of ``task.anatomy`` for each report.

    First, as often as places stand among the rows, a report is offered a place that one of its
    findings can be at: drawn blindly, most places would miss the findings they could locate.
    """
    rules, n = task.rules, len(findings)

    def fits(report: int, members: Sequence[int], item: int) -> bool:
        return rules.arrange(findings[report], [*members, item]) is not None

    def attaches(report: int, members: Sequence[int], item: int) -> bool:
        hosts = rules.arrange(findings[report], [*members, item])
        return hosts is not None and hosts[-1] >= 0

    left = np.clip(caps.anatomy - task.used_anatomy, 0, None)
    filler = Filler(left.tolist(), n, fits, rng)
    places = [row for row, entity in enumerate(task.anatomy) if entity.location]
    share = len(places) / max(1, len(task.anatomy))
    abnormal = [report for report, flag in enumerate(task.normal) if not flag]
    for _ in range(task.m):
        filler.offer([r for r in abnormal if rng.random() < share], places, attaches)
    rows = range(len(task.anatomy))
    rest = [report for report, flag in enumerate(task.normal) if flag]
    done = filler.fill(abnormal, task.m, rows) and filler.fill(rest, task.m, rows)
    return filler.members if done else None


class _Rules:
    """What may stand together in a report, over row numbers.

    Attributes:
        excluded: Of each finding the findings of other concepts that it contradicts or repeats.
    """

    def __init__(self, findings: list[Entity], shows: Shows, allow_unshown: bool) -> None:
        self._findings = findings
        self._lexicon = load_lexicon()
        self._anatomy: list[Entity] = []
        self._located: dict[tuple[int, str], Entity] = {}
        self._shows = lru_cache(maxsize=None)(lambda e: allow_unshown or shows(e))
        self._clash = lru_cache(maxsize=None)(self._lexicon.contradict)
        self._known = [e.concept in self._lexicon.concepts for e in findings]
        self._stated = [
            known and e.polarity is Polarity.PRESENT
            for known, e in zip(self._known, findings, strict=True)
        ]
        self.excluded = self._exclusions()

    def _exclusions(self) -> list[frozenset[int]]:
        """Contradictions without places depend on concept and polarity alone."""
        groups: dict[tuple[str, Polarity], list[int]] = {}
        for row, entity in enumerate(self._findings):
            if self._known[row]:
                groups.setdefault((entity.concept, entity.polarity), []).append(row)
        nothing: frozenset[int] = frozenset()
        excluded = [nothing] * len(self._findings)
        for rows in groups.values():
            first = self._findings[rows[0]]
            barred = frozenset(
                other
                for others in groups.values()
                if self._apart(first, self._findings[others[0]])
                for other in others
            )
            for row in rows:
                excluded[row] = barred
        return excluded

    def _apart(self, a: Entity, b: Entity) -> bool:
        """Whether findings of two concepts cannot be in one report."""
        if a.concept == b.concept:
            return False
        return self._lexicon.contradict(a, b) or self._lexicon.repeat(a, b)

    def bind(self, anatomy: list[Entity]) -> None:
        """Set the ANATOMY rows that numbers refer to from now on."""
        self._anatomy = anatomy

    def drawable_anatomy(self, entity: Entity) -> bool:
        """Whether a row is a structure, a place that can be clear, or one a finding can be at."""
        if entity.category is not Category.ANATOMY:
            return False
        if not entity.location or self._can_be_clear(entity):
            return True
        return any(self._hosts(row, entity.location) for row in range(len(self._findings)))

    def _can_be_clear(self, place: Entity) -> bool:
        side, zone = Location.parse(place.location)
        if side not in ("left", "right"):
            return False
        return zone in _CLEAR_ZONES or (
            zone in _CLEAR_LOBES and (side, zone) != ("left", "middle lobe")
        )

    def _hosts(self, row: int, location: str) -> bool:
        """Whether a finding can be at a place, in the lexicon and in a film."""
        finding = self._findings[row]
        if not self._stated[row]:
            return False
        return self._lexicon.allows(finding.concept, location) and self._shows(
            self._at(row, location)
        )

    def _at(self, row: int, location: str) -> Entity:
        """A finding at a place; the same object for the same place."""
        if not location:
            return self._findings[row]
        if (row, location) not in self._located:
            self._located[row, location] = replace(self._findings[row], location=location)
        return self._located[row, location]

    def arrange(self, findings: Sequence[int], anatomy: Sequence[int]) -> list[int] | None:
        """Which finding each ANATOMY row stands with; −1 = a normal statement of its own.

        A place goes to a finding where one can be there, in the findings' order; None if no
        arrangement is free of contradiction.
        """
        if len(set(anatomy)) < len(anatomy):
            return None
        if not any(self._anatomy[a].location for a in anatomy):
            own = [-1] * len(anatomy)
            return own if self._consistent(findings, anatomy, own) else None
        hosts: list[int] = []

        def extend() -> bool:
            if len(hosts) == len(anatomy):
                return self._consistent(findings, anatomy, hosts)
            row = self._anatomy[anatomy[len(hosts)]]
            options = [-1]
            if row.location:
                options = [f for f in findings if f not in hosts and self._hosts(f, row.location)]
                options += [-1] if self._can_be_clear(row) else []
            for option in options:
                hosts.append(option)
                if extend():
                    return True
                hosts.pop()
            return False

        return hosts if extend() else None

    def _consistent(
        self, findings: Sequence[int], anatomy: Sequence[int], hosts: Sequence[int]
    ) -> bool:
        """Whether the normal statements contradict no finding and do not repeat each other."""
        own = [self._anatomy[a] for a, host in zip(anatomy, hosts, strict=True) if host < 0]
        for i, a in enumerate(own):
            if any(a.concept == b.concept and self._clash(a, b) for b in own[:i]):
                return False
        known = [e for e in own if e.concept in self._lexicon.anatomies]
        if not known:
            return True
        places = {h: self._anatomy[a].location for a, h in zip(anatomy, hosts, strict=True)}
        stated = [self._at(f, places.get(f, "")) for f in findings if self._stated[f]]
        return not any(self._clash(normal, finding) for normal in known for finding in stated)

    def entities(self, findings: Sequence[int], anatomy: Sequence[int]) -> tuple[Entity, ...]:
        """The statements of a report: findings at their places, then normal statements."""
        hosts = self.arrange(findings, anatomy)
        assert hosts is not None, "only arranged reports are kept"
        places = {h: self._anatomy[a].location for a, h in zip(anatomy, hosts, strict=True)}
        stated = [self._at(f, places.get(f, "")) for f in findings]
        own = [self._anatomy[a] for a, host in zip(anatomy, hosts, strict=True) if host < 0]
        return tuple(stated + own)
