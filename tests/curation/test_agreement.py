import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from syncxr.curation.agreement import PASSED, agree, kappa
from syncxr.curation.judge import HALF, QUESTIONS, Verdict, VerdictOptions

ALL = VerdictOptions()


def verdict(**answers: float) -> Verdict:
    return ALL.verdict({**dict.fromkeys(QUESTIONS, 0.9), **answers}, HALF, None, 1.0)


def test_counts_and_shares() -> None:
    first = [verdict(), verdict(chest=0.1), verdict(chest=0.2), verdict()]
    second = [verdict(), verdict(chest=0.4), verdict(), verdict(human=0.3)]
    rows = {row.question: row for row in agree(first, second, ALL.deciding)}
    chest = rows["chest"]
    assert (chest.both_yes, chest.only_first, chest.only_second, chest.both_no) == (2, 0, 1, 1)
    assert chest.n == 4 and chest.agreement == 0.75
    assert chest.interval[0] < 0.75 < chest.interval[1]
    assert chest.kappa == pytest.approx(cohen_kappa_score([1, 0, 0, 1], [1, 0, 1, 1]))
    assert rows[PASSED].agreement == 0.5 and rows[PASSED].only_first == 1


def test_kappa_of_a_constant_is_left_open() -> None:
    rows = {row.question: row for row in agree([verdict()] * 3, [verdict()] * 3, ALL.deciding)}
    assert rows["human"].agreement == 1.0
    assert rows["human"].kappa is None and rows["human"].kappa_interval is None


def test_only_what_decides_counts_in_the_whole_verdict() -> None:
    first, second = [verdict(), verdict()], [verdict(fidelity=0.1), verdict()]
    rows = agree(first, second, ("chest", "human"))
    assert rows[-1].question == PASSED and rows[-1].agreement == 1.0
    assert rows[-2].question == "fidelity" and rows[-2].agreement == 0.5


def test_films_without_an_answer_are_left_out_and_counted() -> None:
    silent = ALL.verdict(dict.fromkeys(list(QUESTIONS)[1:], 0.9), HALF, None, 1.0)
    rows = {row.question: row for row in agree([verdict()] * 2, [verdict(), silent], ALL.deciding)}
    assert (rows["chest"].n, rows["chest"].unanswered) == (1, 1)
    assert (rows["human"].n, rows["human"].unanswered) == (2, 0)
    assert rows[PASSED].unanswered == 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[bool, bool]]) -> None:
    one, two = (list(column) for column in zip(*pairs, strict=True))
    table = np.zeros((2, 2))
    for pair in pairs:
        table[int(pair[0]), int(pair[1])] += 1
    expected = cohen_kappa_score(one, two, labels=[False, True])
    np.testing.assert_allclose(kappa(table), expected, atol=1e-12)


def test_interval_holds_the_true_kappa_and_narrows_with_films() -> None:
    """Outcomes drawn with a known kappa of 0.6: 80 % equal by 50 % of chance."""
    rng = np.random.default_rng(0)
    held, widths = [], {40: [], 400: []}
    for _ in range(60):
        for n, kept in widths.items():
            yes = rng.random(n) < 0.5
            same = rng.random(n) < 0.8
            first = [verdict(chest=0.9 if y else 0.1) for y in yes]
            second = [verdict(chest=0.9 if y == s else 0.1) for y, s in zip(yes, same, strict=True)]
            [row] = [r for r in agree(first, second, ALL.deciding) if r.question == "chest"]
            assert row.kappa_interval is not None
            low, high = row.kappa_interval
            held.append(low <= 0.6 <= high)
            kept.append(high - low)
    assert 0.88 <= np.mean(held) <= 1.0
    assert np.mean(widths[400]) < 0.5 * np.mean(widths[40])
