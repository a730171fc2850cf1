"""The same batches whenever asked: resumed, by one process or several, whatever the batch size."""

from collections import Counter
from functools import cache
from itertools import islice

import made_pairs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.pretraining.data.captions import CaptionMode, candidates
from syncxr.pretraining.data.loader import Batch, Loader, Part
from syncxr.pretraining.data.sources.memory import InMemory
from syncxr.pretraining.data.store.decoded import Decoded, decode_in_memory
from syncxr.pretraining.preprocessing import Preprocessing

SIZE = Preprocessing(size=32)
COUNTS = (7, 30)


@cache
def decoded(count: int, first: int) -> Decoded:
    return decode_in_memory(InMemory(made_pairs.pairs(count, first)), SIZE, 0.01)


def loader(weights: tuple[float, ...] = (1, 1), caption: CaptionMode = "sentence") -> Loader:
    parts = [Part(decoded(n, 100 * i), np.arange(n)) for i, n in enumerate(COUNTS)]
    return Loader(parts, caption, weights)


def same(one: Batch, other: Batch) -> bool:
    heads = [(b.ids, b.texts, b.epoch, b.index) for b in (one, other)]
    return heads[0] == heads[1] and np.array_equal(one.films, other.films)


seeds = st.integers(0, 2**60)
weights = st.one_of(st.just(()), st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)))


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(0, 9), st.integers(1, 12), st.integers(0, 40), weights)
def test_resumed_in_an_epoch(
    seed: int, epoch: int, size: int, start: int, shares: tuple[float, ...]
) -> None:
    data = loader(shares)
    whole = list(data.batches(seed, epoch, size))
    assert len(whole) == data.steps(size) == len(data) // size
    rest = list(data.batches(seed, epoch, size, start))
    assert len(rest) == max(0, len(whole) - start)
    assert all(same(one, other) for one, other in zip(whole[start:], rest, strict=True))


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), weights)
def test_ranks_share_the_batches_of_one_process(
    seed: int, world: int, each: int, start: int, shares: tuple[float, ...]
) -> None:
    data, size = loader(shares), world * each
    alone = list(data.batches(seed, 1, size, start))
    ranks = [list(data.batches(seed, 1, size, start, rank, world)) for rank in range(world)]
    assert {len(batches) for batches in ranks} == {len(alone)}
    for batch, parts in zip(alone, zip(*ranks, strict=True), strict=True):
        assert batch.ids == [id for part in parts for id in part.ids]
        assert batch.texts == [text for part in parts for text in part.texts]
        assert np.array_equal(batch.films, np.concatenate([part.films for part in parts]))
        assert {part.index for part in parts} == {batch.index}


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_the_size_of_a_batch_changes_no_pair(seed: int, one: int, other: int) -> None:
    def stream(size: int) -> list[tuple[str, str]]:
        batches = loader().batches(seed, 0, size)
        return [pair for b in batches for pair in zip(b.ids, b.texts, strict=True)]

    for a, b in zip(stream(one), stream(other), strict=False):
        assert a == b


@pytest.mark.parametrize(("rank", "world"), [(0, 3), (2, 2), (-1, 2)])
def test_ranks_that_do_not_fit_are_refused(rank: int, world: int) -> None:
    with pytest.raises(ValueError, match="whole part"):
        next(loader().batches(0, 0, 8, 0, rank, world))


@pytest.mark.parametrize("caption", ["sentence", "report", "findings", "impression"])
def test_film_and_words_belong_together(caption: CaptionMode) -> None:
    seen = Counter[str]()
    for batch in loader(caption=caption).batches(0, 0, 5):
        assert batch.films.shape == (5, 32, 32) and batch.films.flags.writeable
        for id, film, text in zip(batch.ids, batch.films, batch.texts, strict=True):
            number = int(id[1:])
            assert np.array_equal(film, SIZE.apply(made_pairs.noise(number)))
            assert text in candidates(*made_pairs.report(number), caption)
            seen[text] += 1
    assert len(seen) > 10


def test_sentences_are_drawn_evenly() -> None:
    data = Loader([Part(decoded(7, 0), np.arange(7))], "sentence")
    times = Counter(t for epoch in range(600) for b in data.batches(0, epoch, 7) for t in b.texts)
    every = {t for i in range(7) for t in candidates(*made_pairs.report(i), "sentence")}
    assert set(times) == every
    assert all(150 < count < 250 for count in times.values()), "600 draws of 3 sentences"


def test_a_pair_drawn_twice_may_say_two_things() -> None:
    (batch,) = islice(loader((9, 1)).batches(1, 0, 37), 1)
    times = Counter(batch.ids)
    assert times["p0"] > 3
    assert len({text for id, text in zip(batch.ids, batch.texts, strict=True) if id == "p0"}) > 1


def test_what_is_kept_out_comes_in_order_and_whole() -> None:
    batches = list(loader().in_order(3, 10))
    assert [len(batch) for batch in batches] == [10, 10, 10, 7]
    ids = [id for batch in batches for id in batch.ids]
    assert ids == [f"p{i}" for i in (*range(7), *range(100, 130))]
    again = [text for batch in loader().in_order(3, 4) for text in batch.texts]
    assert again == [text for batch in batches for text in batch.texts]


def test_a_side_without_pairs_gives_no_batch() -> None:
    empty = Loader([Part(decoded(7, 0), np.arange(0))], "report")
    assert len(empty) == 0 and not list(empty.in_order(0, 4)) and not list(empty.batches(0, 0, 4))
