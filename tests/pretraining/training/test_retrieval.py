"""Recall at K against a plain ranking."""

import numpy as np

from syncxr.pretraining.training import retrieval
from syncxr.pretraining.training.retrieval import recalls


def test_against_a_loop() -> None:
    generator = np.random.default_rng(0)
    for count in (1, 3, 12, 40, 2 * retrieval._FILMS_AT_ONCE + 1):
        films, texts = generator.normal(size=(2, count, 6)).astype(np.float32)
        found = recalls(films, texts, np.arange(count))
        for cut in (1, 5, 10):
            hits = [i in np.argsort(-(texts @ films[i]))[:cut] for i in range(count)]
            assert found[f"R@{cut}"] == np.mean(hits)


def test_ties_count_against_the_model() -> None:
    same = np.ones((12, 3), np.float32)
    assert recalls(same, same, np.arange(12)) == {"R@1": 0.0, "R@5": 0.0, "R@10": 0.0}


def test_films_with_the_same_words_share_them() -> None:
    similarities = np.array([[0.9, 0.9, 0.1], [0.9, 0.9, 0.1], [0.0, 0.0, 0.5]], np.float32)
    texts = np.eye(3, dtype=np.float32)
    assert recalls(similarities, texts, np.array([4, 4, 0]))["R@1"] == 1.0
    assert recalls(similarities, texts, np.array([4, 5, 0]))["R@1"] == 1 / 3
