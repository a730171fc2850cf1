from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.factory.rounds import Outcome, Task, run_rounds
from syncxr.sample import derive_seed


@given(st.dictionaries(st.text(max_size=5), st.integers(1, 6), max_size=8), st.integers(1, 4))
def test_every_sample_ends_somewhere(needed: dict[str, int], max_attempts: int) -> None:
    """A sample that needs n attempts is accepted at its n-th, or rejected after the last."""
    batches = []

    def attempt(tasks: Sequence[Task]) -> list[Outcome[int]]:
        batches.append([task.id for task in tasks])
        return [Outcome(t.seed, () if t.attempt + 1 >= needed[t.id] else ("bad",)) for t in tasks]

    finished = []
    histories = run_rounds(list(needed), "film", attempt, max_attempts, finished.append)
    assert set(histories) == set(needed)
    assert sum(finished) == len(needed)
    for id, history in histories.items():
        assert len(history.attempts) == min(needed[id], max_attempts)
        seeds = [derive_seed(id, "film", n) for n in range(len(history.attempts))]
        assert [made["seed"] for made in history.attempts] == seeds
        if needed[id] <= max_attempts:
            assert history.outcome is not None and history.outcome.result == seeds[-1]
        else:
            assert history.outcome is None and history.last is not None
            assert history.last.reasons == ("bad",)
    assert all(len(set(batch)) == len(batch) for batch in batches)


def test_lost_outcomes_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        run_rounds(["a", "b"], "film", lambda tasks: [], 1)
