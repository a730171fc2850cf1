from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import Bounds, LinearConstraint, milp

from syncxr.entities.bank import Bank, BankEntry, place
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.plan import Plan, PlanFile, PlannedReport
from syncxr.entities.sampling import SamplingOptions, balance_report, plan
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity, sample_id

LEXICON = load_lexicon()
SHOWN = ("pleural effusion", "pneumothorax", "cardiomegaly", "consolidation", "opacity", "nodule")


def shows(entity: Entity) -> bool:
    return entity.concept in SHOWN


def everything(entity: Entity) -> bool:
    return True


def finding(name: str, polarity: Polarity = Polarity.PRESENT, severity: str = "") -> Entity:
    return LEXICON.concepts[name].entity(polarity, "", severity)


def structure(name: str) -> Entity:
    return Entity(name, Category.ANATOMY, Polarity.ABSENT)


def bank_of(*rows: Entity) -> Bank:
    return Bank(BankEntry(row, 2 ** (i % 11) + 1) for i, row in enumerate(rows))


def wide_bank() -> Bank:
    rows: list[Entity] = []
    for concept in LEXICON.concepts.values():
        severities = ("",) if concept.scale == "none" else ("", "mild", "moderate", "severe")
        rows += [concept.entity(Polarity.PRESENT, "", severity) for severity in severities]
        rows += [concept.entity(Polarity.ABSENT), concept.entity(Polarity.UNCERTAIN)]
    rows += [structure(name) for name in LEXICON.anatomies]
    rows += sorted({place(where) for sites in LEXICON.sites.values() for where in sites})
    return bank_of(*rows)


LAPTOP = SamplingOptions(pairs=120, k=3, m=1, normal_fraction=0.3, tau_max="auto")
BANK = wide_bank()
LAPTOP_PLAN = plan(BANK, LAPTOP, shows)


def attached(entity: Entity) -> bool:
    return entity.category is not Category.ANATOMY and bool(entity.location)


@pytest.mark.parametrize(
    "options",
    [
        LAPTOP,
        LAPTOP.model_copy(update={"k": 9, "m": 3, "normal_fraction": 0.0}),
        LAPTOP.model_copy(update={"k": 2, "m": 2, "normal_fraction": 1.0, "seed": 7}),
        LAPTOP.model_copy(update={"tau_max": 40}),
    ],
)
def test_every_report_has_k_findings_and_m_places_without_contradiction(
    options: SamplingOptions,
) -> None:
    made = plan(BANK, options, shows)
    assert [r.id for r in made] == [sample_id(options.seed, i) for i in range(options.pairs)]
    for report in made:
        findings = [e for e in report.entities if e.category is not Category.ANATOMY]
        own = len(report.entities) - len(findings)
        assert len(findings) == options.k
        assert own + sum(map(attached, findings)) == options.m
        assert len({e.concept for e in findings}) == options.k
        assert not any(LEXICON.contradict(a, b) for a, b in combinations(report.entities, 2))
        assert not any(LEXICON.repeat(a, b) for a, b in combinations(findings, 2))
        for entity in findings:
            assert entity.polarity is not Polarity.UNCERTAIN
            if entity.polarity is Polarity.PRESENT:
                assert shows(entity)
                assert LEXICON.allows(entity.concept, entity.location)
            else:
                assert not entity.location
    normal = sum(report.normal for report in made)
    assert normal == round(options.normal_fraction * options.pairs)


def test_the_cap_counts_attached_places() -> None:
    made = plan(BANK, LAPTOP.model_copy(update={"tau_max": 9}), shows)
    assert max(made.uses().values()) <= 9


def test_positives_appear_equally_often() -> None:
    uses = [n for e, n in LAPTOP_PLAN.uses().items() if e.polarity is Polarity.PRESENT]
    assert max(uses) - min(uses) <= 1


def test_same_options_same_plan_and_another_seed_another() -> None:
    assert plan(BANK, LAPTOP, shows) == LAPTOP_PLAN
    other = plan(BANK, LAPTOP.model_copy(update={"seed": 1}), shows)
    assert [r.entities for r in other] != [r.entities for r in LAPTOP_PLAN]


def test_a_place_is_attached_only_where_the_renderer_shows_it() -> None:
    def not_on_the_left(entity: Entity) -> bool:
        return shows(entity) and not entity.location.startswith("left")

    located = [e for r in plan(BANK, LAPTOP, not_on_the_left) for e in r.entities if attached(e)]
    assert located
    assert not any(e.location.startswith("left") for e in located)


def test_allow_unshown_draws_what_the_renderer_cannot_show() -> None:
    made = plan(BANK, LAPTOP.model_copy(update={"allow_unshown": True}), shows)
    drawn = {e.concept for r in made for e in r.entities if e.polarity is Polarity.PRESENT}
    assert drawn - set(SHOWN)


def test_extension_keeps_ids_and_content_and_counts_earlier_uses() -> None:
    longer = plan(BANK, LAPTOP.model_copy(update={"pairs": 300}), shows, LAPTOP_PLAN)
    assert longer.reports[: len(LAPTOP_PLAN)] == LAPTOP_PLAN.reports
    assert len({r.id for r in longer}) == 300
    assert sum(r.normal for r in longer) == 90
    uses = [n for e, n in longer.uses().items() if e.polarity is Polarity.PRESENT]
    assert max(uses) - min(uses) <= 1
    assert plan(BANK, LAPTOP, shows, LAPTOP_PLAN) == LAPTOP_PLAN
    with pytest.raises(SyncxrError, match="already has 120 reports"):
        plan(BANK, LAPTOP.model_copy(update={"pairs": 100}), shows, LAPTOP_PLAN)


def test_a_fixed_cap_that_cannot_work_names_the_smallest_that_does() -> None:
    with pytest.raises(
        SyncxrError, match=r"tau_max: 2 cannot work .* smallest that does is (\d+)"
    ) as e:
        plan(BANK, LAPTOP.model_copy(update={"tau_max": 2}), shows)
    smallest = int(str(e.value).split("does is ")[1].split()[0])
    made = plan(BANK, LAPTOP.model_copy(update={"tau_max": smallest}), shows)
    assert max(made.uses().values()) == smallest
    with pytest.raises(SyncxrError):
        plan(BANK, LAPTOP.model_copy(update={"tau_max": smallest - 1}), shows)
    automatic = plan(BANK, LAPTOP, shows)
    assert max(automatic.uses().values()) == smallest


@pytest.mark.parametrize(
    ("rows", "changes", "words"),
    [
        ([finding("nodule", Polarity.ABSENT)], {"k": 1}, "allow_unshown: true"),
        (
            [finding("nodule"), finding("pneumonia", Polarity.ABSENT)],
            {"k": 3},
            "normal report needs",
        ),
        ([finding("nodule")], {"k": 2, "normal_fraction": 0.0}, "bank has 1"),
        ([finding("nodule")], {"k": 1, "m": 1, "normal_fraction": 0.0}, "ANATOMY"),
        (
            [finding("cardiomegaly"), structure("heart")],
            {"k": 1, "m": 1, "normal_fraction": 0.0},
            "contradict",
        ),
    ],
)
def test_an_impossible_bank_is_explained_in_one_line(
    rows: list[Entity], changes: dict[str, object], words: str
) -> None:
    options = LAPTOP.model_copy(update={"pairs": 10, "m": 0, **changes})
    with pytest.raises(SyncxrError, match=words) as caught:
        plan(bank_of(*rows), options, shows)
    assert "\n" not in str(caught.value)


def test_unknown_option_is_refused() -> None:
    with pytest.raises(ValidationError):
        SamplingOptions.model_validate({"tau": 3})
    with pytest.raises(ValidationError):
        SamplingOptions.model_validate({"tau_max": "best"})


def test_balance_is_told_in_numbers() -> None:
    numbers = balance_report(BANK, LAPTOP_PLAN)
    everything_ = numbers["all"]
    assert everything_["planned_entropy"] > everything_["real_entropy"]
    assert everything_["planned_gini"] < everything_["real_gini"]
    assert numbers["ABNORMALITY"]["planned_gini"] < 0.05
    assert numbers["ANATOMY"]["rows"] <= numbers["ANATOMY"]["bank_rows"]
    assert numbers["DISEASE"]["rows"] == 0


# ------------------------------------------------------------ feasible ⇒ completed


def rows_of_concepts(draw: st.DrawFn, names: list[str]) -> list[Entity]:
    rows: list[Entity] = []
    for name in names:
        severities = draw(st.sets(st.sampled_from(["", "mild", "moderate", "severe"]), max_size=3))
        rows += [finding(name, Polarity.PRESENT, s) for s in sorted(severities)]
        if draw(st.booleans()):
            rows.append(finding(name, Polarity.ABSENT))
    return rows


@st.composite
def small_tasks(draw: st.DrawFn) -> tuple[Bank, SamplingOptions, int]:
    """Banks so small and caps so tight that blind draws run into dead ends."""
    # Concepts that contradict each other stand beside others that do not.
    names = draw(
        st.lists(
            st.sampled_from(
                [
                    *("pleural effusion", "hydropneumothorax", "pneumothorax", "opacity"),
                    *("nodule", "consolidation", "cardiomegaly", "scoliosis", "hiatal hernia"),
                    "fracture",
                ]
            ),
            min_size=1,
            max_size=7,
            unique=True,
        )
    )
    rows = rows_of_concepts(draw, names)
    assume(rows)
    options = SamplingOptions(
        pairs=draw(st.integers(1, 6)),
        k=draw(st.integers(1, 4)),
        m=0,
        normal_fraction=draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])),
        tau_max="auto",
        seed=draw(st.integers(0, 3)),
    )
    return bank_of(*rows), options, draw(st.integers(1, 6))


def feasible(bank: Bank, options: SamplingOptions, cap: int) -> bool:
    """Whether any plan exists, by integer programming over all reports and rows."""
    rows = [e.entity for e in bank]
    n, size = options.pairs, len(rows)
    normal = round(options.normal_fraction * n)
    constraints: list[tuple[np.ndarray, float, float]] = []

    def add(cells: dict[tuple[int, int], float], low: float, high: float) -> None:
        row = np.zeros(n * size)
        for (r, e), value in cells.items():
            row[r * size + e] = value
        constraints.append((row, low, high))

    for e in range(size):
        add({(r, e): 1 for r in range(n)}, 0, cap)
    clashes = [
        (a, b)
        for a, b in combinations(range(size), 2)
        if LEXICON.contradict(rows[a], rows[b]) or LEXICON.repeat(rows[a], rows[b])
    ]
    positive = [e for e in range(size) if rows[e].polarity is Polarity.PRESENT]
    for r in range(n):
        add({(r, e): 1 for e in range(size)}, options.k, options.k)
        add({(r, e): 1 for e in positive}, *((0, 0) if r < normal else (1, options.k)))
        for a, b in clashes:
            add({(r, a): 1, (r, b): 1}, 0, 1)
    matrix = np.array([c[0] for c in constraints])
    bounds = [c[1] for c in constraints], [c[2] for c in constraints]
    result = milp(
        np.zeros(n * size),
        constraints=LinearConstraint(matrix, *bounds),
        integrality=np.ones(n * size),
        bounds=Bounds(0, 1),
    )
    assert result.status in (0, 2)
    return bool(result.status == 0)


@settings(max_examples=150, deadline=None)
@given(small_tasks())
def test_a_feasible_plan_is_always_completed(task: tuple[Bank, SamplingOptions, int]) -> None:
    bank, options, cap = task
    possible = feasible(bank, options, cap)
    try:
        made = plan(bank, options.model_copy(update={"tau_max": cap}), everything)
    except SyncxrError:
        assert not possible
        return
    assert possible
    assert max(made.uses().values()) <= cap


@settings(max_examples=60, deadline=None)
@given(small_tasks())
def test_auto_is_the_smallest_cap_there_is(task: tuple[Bank, SamplingOptions, int]) -> None:
    bank, options, _ = task
    assume(feasible(bank, options, options.pairs))
    smallest = next(cap for cap in range(1, options.pairs + 1) if feasible(bank, options, cap))
    assert max(plan(bank, options, everything).uses().values()) == smallest


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_anatomy_feasible_by_counts_is_completed(data: st.DataObject) -> None:
    """Structures that contradict no finding: counts alone decide."""
    names = data.draw(
        st.sets(st.sampled_from(["trachea", "diaphragm", "stomach", "hila"]), min_size=1)
    )
    rows = [finding(n, p) for n in SHOWN for p in (Polarity.PRESENT, Polarity.ABSENT)]
    bank = bank_of(*rows, *map(structure, sorted(names)))
    m = data.draw(st.integers(1, len(names)))
    pairs = data.draw(st.integers(1, 40))
    smallest = -(-pairs * m // len(names))
    made = plan(bank, SamplingOptions(pairs=pairs, k=2, m=m, tau_max="auto"), shows)
    uses = Counter(e for r in made for e in r.entities if e.category is Category.ANATOMY)
    assert max(uses.values()) == smallest


# ------------------------------------------------------------ on disk


def test_parquet_round_trip_and_same_bytes(tmp_path: Path) -> None:
    LAPTOP_PLAN.write(tmp_path / "a.parquet")
    plan(BANK, LAPTOP, shows).write(tmp_path / "b.parquet")
    assert Plan.read(tmp_path / "a.parquet") == LAPTOP_PLAN
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize(("start", "count"), [(0, 1), (998, 5), (0, 2500), (2499, 1), (1000, 1000)])
def test_a_part_of_a_plan_is_read_without_the_rest(start: int, count: int, tmp_path: Path) -> None:
    made = Plan(
        tuple(PlannedReport(str(i), (structure("heart"),) * (1 + i % 3)) for i in range(2500))
    )
    made.write(tmp_path / "p.parquet")
    on_disk = PlanFile(tmp_path / "p.parquet")
    assert on_disk.read(start, count) == list(made.reports[start : start + count])
    assert len(on_disk) == 2500 and tuple(on_disk) == made.reports
    assert on_disk.uses() == made.uses()


def test_a_users_csv(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,entities\nA1,small left effusion; no pneumothorax; heart\nB2,right lower lobe\n"
    )
    made = Plan.read(path)
    assert made.reports[0].entities == (
        Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, "left", "mild"),
        Entity("pneumothorax", Category.NON_ABNORMALITY, Polarity.ABSENT),
        structure("heart"),
    )
    assert made.reports[1].entities == (place("right lower lobe"),)
    assert not made.reports[0].normal
    assert made.reports[1].normal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,entities\nA,nodule\n", "column 'id'"),
        ("id,entities\nA,nodule; warp core\n", "row 2, entity 'warp core'"),
        ("id,entities\nA,nodule\nA,nodule\n", "'A' stands twice"),
        ("id,entities\nA, ; \n", "row 2: no entity"),
        ("id,entities\n,nodule\n", "row 2: the id is empty"),
        ("id,entities\n", "plans no report"),
    ],
)
def test_csv_faults(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(SyncxrError, match=words):
        Plan.read(path)


def test_a_damaged_plan(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_bytes(b"nothing")
    with pytest.raises(SyncxrError, match="not a readable plan"):
        Plan.read(tmp_path / "p.parquet")
    with pytest.raises(SyncxrError, match="does not exist"):
        Plan.read(tmp_path / "q.parquet")
