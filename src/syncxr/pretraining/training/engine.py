"""accelerate, set up for one run: device, precision, accumulation and processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from filelock import FileLock, Timeout
from timm.layers import convert_sync_batchnorm
from torch import nn

from syncxr.errors import SyncxrError
from syncxr.pretraining.options import Precision


@contextmanager
def start_engine(precision: Precision, accumulation: int) -> Iterator[Any]:
    """An ``accelerate.Accelerator`` for one run: alone, or one of those that a launcher started.

    Raises:
        SyncxrError: The device cannot compute in that precision.
    """
    # accelerate keeps its settings for the whole process. Several runs, each with its own, may
    # follow each other in one (a notebook, a benchmark): what was set up here is taken down here.
    ours = not AcceleratorState._shared_state
    try:
        engine = Accelerator(
            # Without this, processes that torchrun starts on CPUs would not see each other.
            cpu=not torch.accelerator.is_available(),
            mixed_precision=precision,
            gradient_accumulation_steps=accumulation,
        )
    except ValueError as error:
        raise SyncxrError(f"precision {precision!r}: {error}") from error
    try:
        if precision != "no" and not engine.native_amp:  # accelerate would go on without a word
            raise SyncxrError(f"precision {precision!r} needs a GPU; set bf16 or no")
        yield engine
    finally:
        if ours:
            engine.end_training()
            AcceleratorState._reset_state(reset_partial_state=True)


def prepare(engine: Any, model: nn.Module) -> Any:
    """The model on its device, in what synchronises gradients if there are several processes.

    On GPUs batch normalisation then takes its statistics over the whole batch. torch has no such
    layer for CPUs: there every process normalises with its own share.
    """
    if engine.num_processes > 1 and engine.device.type == "cuda":
        convert_sync_batchnorm(model)
    return engine.prepare(model)


@contextmanager
def alone_in(folder: Path, engine: Any) -> Iterator[None]:
    """Keep other runs out of a folder, in the name of all processes of this one.

    Raises:
        SyncxrError: Another run is in it.
    """
    lock = FileLock(folder / ".lock")
    if engine.is_main_process:
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise SyncxrError(
                f"another run is training in {folder}; wait or name another"
            ) from error
    try:
        yield
    finally:
        lock.release()


def is_first() -> bool:
    """Whether this process speaks for those that a launcher started; alone, it does."""
    return os.environ.get("RANK", "0") == "0"


def agree(engine: Any, value: int) -> int:
    """The greatest of all processes' values: what one has to do, all do at the same step."""
    if engine.num_processes == 1:
        return value
    found = torch.tensor(value, device=engine.device)
    torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
    return int(found)
