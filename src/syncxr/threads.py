"""How many threads torch uses, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Run torch on ``count`` threads; ``None`` leaves the number as it is.

    On one thread sums come out the same to the last bit, whatever else runs: how a convolution is
    cut up among threads decides its rounding.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
