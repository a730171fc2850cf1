"""What leaves the house says whose it is, and holds nothing rare."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncxr.corpora.mimic import TERMS
from syncxr.entities.bank import Bank, BankEntry
from syncxr.entities.exporting import export_bank
from syncxr.entities.plan import Plan, PlannedReport
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity


def entry(name: str, count: int) -> BankEntry:
    return BankEntry(Entity(name, Category.ABNORMALITY, Polarity.PRESENT), count)


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    rows = [entry("edema", 70), entry("opacity", 5), entry("mr smith's nodule", 4)]
    Bank(rows, TERMS).write(tmp_path / "bank.parquet")
    return tmp_path / "bank.parquet"


def test_rare_strings_stay_and_terms_go_along(bank: Path, tmp_path: Path) -> None:
    summary = export_bank(bank, tmp_path / "out" / "shared.parquet", 5)
    shared = Bank.read(Path(summary.bank))
    assert [e.entity.concept for e in shared] == ["edema", "opacity"]
    assert shared.terms == TERMS
    assert (summary.entities, summary.dropped) == (2, 1)
    assert summary.licence == TERMS.licence and summary.stays_home
    assert b"smith" not in Path(summary.bank).read_bytes()


def test_the_least_count_may_be_moved(bank: Path, tmp_path: Path) -> None:
    assert export_bank(bank, tmp_path / "a.parquet", 1).dropped == 0
    assert export_bank(bank, tmp_path / "a.parquet", 6).entities == 1


def test_faults_are_one_line(bank: Path, tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="exported as .parquet, which carries its terms"):
        export_bank(bank, tmp_path / "a.csv", 5)
    with pytest.raises(SyncxrError, match="holds nothing that 71 reports state"):
        export_bank(bank, tmp_path / "a.parquet", 71)


def test_a_bank_of_ones_own_words_has_no_terms(tmp_path: Path) -> None:
    Bank([entry("edema", 9)]).write(tmp_path / "bank.parquet")
    assert Bank.read(tmp_path / "bank.parquet").terms is None
    assert export_bank(tmp_path / "bank.parquet", tmp_path / "b.parquet", 5).licence == "unknown"


def test_a_plan_keeps_the_terms_of_its_bank(tmp_path: Path) -> None:
    reports = (PlannedReport("0-0", (entry("edema", 1).entity,)),)
    for terms in (TERMS, None):
        Plan(reports, terms).write(tmp_path / "plan.parquet")
        assert Plan.read(tmp_path / "plan.parquet") == Plan(reports, terms)
