"""The batch as a whole where several processes hold a share of it each: negatives from all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch import distributed as world


def gather(rows: Tensor) -> Tensor:
    """Rows of all processes, in the order of their ranks, with gradient; alone, what was given.

    Every process goes on to compute the same loss L from the same rows. Going back, each sends
    every row's owner its gradient, and the owner adds them up: with W processes that each hold
    dL/d(rows), it gets W · dL/d(rows). Data parallelism then takes the mean of the parameters'
    gradients over the W processes, and the factor is gone: what is left is the sum over shares of
    (dL/d(rows of the share)) · (d(rows)/d(parameter)), the gradient of one process that has the
    whole batch. The same mean leaves a parameter behind the gather (a learnt scale) as it is,
    because every process has the same gradient of it. A gather inside what a process computes
    alone changes nothing of this: the factor W comes in once, where the shares meet in L.

    Without gradients (validation) a process is by itself: each may look at other rows.

    Args:
        rows: (n, …), the same shape in every process.

    Returns:
        (W · n, …).
    """
    if not world.is_available() or not world.is_initialized() or not torch.is_grad_enabled():
        return rows
    if world.get_world_size() == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows)
    return gathered


class _Gather(torch.autograd.Function):
    """All-gather forwards, sum of all gradients backwards.

    torch's own (``torch.distributed.nn.functional.all_gather``) is deprecated for one whose name
    differs between the versions of torch that are supported here.
    """

    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        context.share = len(rows)
        rows = rows.contiguous()
        parts = [torch.empty_like(rows) for _ in range(world.get_world_size())]
        world.all_gather(parts, rows)
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        world.all_reduce(total)
        start = world.get_rank() * context.share
        return total[start : start + context.share]
