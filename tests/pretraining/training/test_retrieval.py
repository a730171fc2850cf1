"""Recall at K against a plain ranking."""

import numpy as np

from syncxr.pretraining.training.retrieval import recalls


def test_against_a_loop() -> None:
    generator = np.random.default_rng(0)
    for count in (1, 3, 12, 40):
        similarities = generator.normal(size=(count, count)).astype(np.float32)
        found = recalls(similarities, np.eye(count, dtype=bool))
        for cut in (1, 5, 10):
            hits = [i in np.argsort(-similarities[i])[:cut] for i in range(count)]
            assert found[f"R@{cut}"] == np.mean(hits)


def test_ties_count_against_the_model() -> None:
    same = np.zeros((12, 12), np.float32)
    assert recalls(same, np.eye(12, dtype=bool)) == {"R@1": 0.0, "R@5": 0.0, "R@10": 0.0}


def test_films_with_the_same_words_share_them() -> None:
    similarities = np.array([[0.9, 0.9, 0.1], [0.9, 0.9, 0.1], [0.0, 0.0, 0.5]], np.float32)
    right = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    assert recalls(similarities, right)["R@1"] == 1.0
