from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.entities.bank import (
    Bank,
    BankEntry,
    entropy,
    gini,
    parse_surface,
    place,
    rows_of,
    surface,
)
from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity

EFFUSION = Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, "left", "mild")
NO_AIR = Entity("pneumothorax", Category.NON_ABNORMALITY, Polarity.ABSENT)
HEART = Entity("heart", Category.ANATOMY, Polarity.ABSENT)
CLEAR = Entity("lungs", Category.ANATOMY, Polarity.ABSENT, "right lower lobe")


def test_a_finding_at_a_place_counts_as_finding_and_as_place() -> None:
    bank = Bank.count([[EFFUSION, NO_AIR, HEART], [EFFUSION, CLEAR]])
    counts = {surface(entry.entity): entry.count for entry in bank}
    assert counts == {
        "small pleural effusion": 2,
        "no pneumothorax": 1,
        "left": 2,
        "heart": 1,
        "right lower lobe": 1,
    }


def test_a_place_is_what_its_own_normal_statement_says() -> None:
    assert rows_of(CLEAR) == (CLEAR,) == (place("right lower lobe"),)


def test_a_structure_at_a_place_is_the_structure() -> None:
    left_hilum = Entity("hila", Category.ANATOMY, Polarity.ABSENT, "left")
    assert rows_of(left_hilum) == (Entity("hila", Category.ANATOMY, Polarity.ABSENT),)


@pytest.mark.parametrize("where", ["left", "left apex", "right lower lobe", "right mid zone"])
def test_the_extractor_reads_a_clear_place_as_the_bank_holds_it(where: str) -> None:
    said = f"The {where}{' lung' if where == 'left' else ''} is clear."
    assert [mention.entity for mention in extract(said)] == [place(where)]


def test_order_does_not_depend_on_the_order_of_reports() -> None:
    reports = [[EFFUSION], [NO_AIR, HEART], [CLEAR], [NO_AIR]]
    assert Bank.count(reports).entries == Bank.count(reversed(reports)).entries
    counts = [(e.entity.category, -e.count) for e in Bank.count(reports)]
    rank = list(Category)
    assert counts == sorted(counts, key=lambda c: (rank.index(c[0]), c[1]))


def _every_row() -> list[Entity]:
    lexicon = load_lexicon()
    rows = {
        concept.entity(polarity, "", severity)
        for concept in lexicon.concepts.values()
        for polarity in Polarity
        for severity in ("", "mild", "moderate", "severe")
    }
    rows |= {Entity(name, Category.ANATOMY, Polarity.ABSENT) for name in lexicon.anatomies}
    rows |= {place(where) for sites in lexicon.sites.values() for where in sites}
    return sorted(rows)


def test_every_row_the_lexicon_can_make_is_parsed_back() -> None:
    wrong = [e for e in _every_row() if parse_surface(surface(e)) != e]
    assert not wrong


def test_parquet_round_trip_and_same_bytes(tmp_path: Path) -> None:
    bank = Bank(BankEntry(e, i + 1) for i, e in enumerate(_every_row()))
    bank.write(tmp_path / "a.parquet")
    Bank(reversed(bank.entries)).write(tmp_path / "b.parquet")
    assert Bank.read(tmp_path / "a.parquet") == bank
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names[:4] == ["entity", "category", "polarity", "count"]


def _csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_with_the_entity_column_alone(tmp_path: Path) -> None:
    path = _csv(tmp_path, "entity\nsmall pleural effusion\nno pneumothorax\nheart\nLeft Apex\n")
    bank = Bank.read(path)
    assert sorted(surface(e.entity) for e in bank) == [
        "heart",
        "left apex",
        "no pneumothorax",
        "small pleural effusion",
    ]
    assert all(entry.count == 1 for entry in bank)


def test_csv_with_synonyms_places_counts_and_category(tmp_path: Path) -> None:
    path = _csv(
        tmp_path,
        "entity,category,count\nsmall left effusion,,4\ncardiac silhouette,ANATOMY,2\n"
        "nodule,NON-ABNORMALITY,3\n",
    )
    counts = {surface(e.entity): e.count for e in Bank.read(path)}
    assert counts == {"small pleural effusion": 4, "left": 4, "heart": 2, "no nodule": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("finding\nnodule\n", ["column 'entity'"]),
        ("entity\nnodule\nflux capacitor\n", ["row 3", "flux capacitor", "leave the row out"]),
        ("entity,count\nnodule,-2\n", ["row 2", "'-2'", "≥ 1"]),
        ("entity,category\nnodule,THING\n", ["row 2", "THING", "NON-DISEASE"]),
        ("entity,category\nnodule,DISEASE\n", ["row 2", "ABNORMALITY", "correct"]),
        ("entity,category\nheart,DISEASE\n", ["row 2", "ANATOMY"]),
        ("entity\n", ["no entity"]),
    ],
)
def test_csv_faults_are_one_line_with_row_and_remedy(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(SyncxrError) as caught:
        Bank.read(_csv(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in [*words, "mine.csv"])


def test_parquet_faults(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(SyncxrError, match=r"broken\.parquet is not a readable"):
        Bank.read(tmp_path / "broken.parquet")
    pq.write_table(pa.table({"entity": ["nodule"]}), tmp_path / "thin.parquet")
    with pytest.raises(SyncxrError, match="lacks the column 'category'"):
        Bank.read(tmp_path / "thin.parquet")
    with pytest.raises(SyncxrError, match="does not exist"):
        Bank.read(tmp_path / "absent.parquet")


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_entropy_and_gini_equal_their_slow_definitions(counts: list[int]) -> None:
    total = sum(counts)
    if total == 0:
        assert entropy(counts) == gini(counts) == 0
        return
    slow = -sum(c / total * math.log2(c / total) for c in counts if c)
    assert entropy(counts) == pytest.approx(slow, abs=1e-9)
    pairs = sum(abs(a - b) for a in counts for b in counts)
    assert gini(counts) == pytest.approx(pairs / (2 * len(counts) * total), abs=1e-9)


@pytest.mark.parametrize(
    ("concept", "surface_"),
    [
        ("pneumothorax", "no pneumothorax"),
        ("widget", "no widget"),
        ("clear lungs", "clear lungs"),
        ("normal", "normal"),
    ],
)
def test_what_itself_says_normal_is_not_denied_again(concept: str, surface_: str) -> None:
    """A network calls "clear" a NON-ABNORMALITY just as it does a denied pneumothorax."""
    entity = Entity(concept, Category.NON_ABNORMALITY, Polarity.ABSENT)
    assert surface(entity) == surface_
