"""The leaky split is the one that scikit-learn draws in the published code."""

import pytest
from sklearn.model_selection import train_test_split

from syncxr.evaluation.splits.legacy import rows_of_siim


@pytest.mark.parametrize("rows", [10, 101, 11_582, 12_954])
def test_the_same_rows_as_scikit_learn(rows: int) -> None:
    train, rest = train_test_split(list(range(rows)), test_size=0.15 * 2, random_state=0)
    test, valid = train_test_split(rest, test_size=0.5, random_state=0)
    assert rows_of_siim(rows) == {
        "legacy-train": train,
        "legacy-valid": valid,
        "legacy-test": test,
    }
