"""The figures of a price."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class StagePrice(BaseModel):
    """What one stage of a run will take.

    Attributes:
        stage: ``audit``, ``plan``, ``drafts`` or ``films``.
        samples: Samples that enter it.
        attempts: Attempts expected at them.
        passed: Samples expected to pass.
        seconds: Wall time.
        cpu_hours: Processor time on the machines that run syncxr.
        gpu_hours: Time of its workers on their GPUs, 0 without one.
        gpu: Name of the GPU measured on.
        gpu_bytes: The most GPU memory that a worker held.
        servers: Servers that work for it; each is busy for ``seconds`` at most.
        workers: Workers assumed.
        measured: Samples behind the figures; 0 = the whole step was done and timed.
        margin: Half the 95 % interval of the time, as a share of it; ``None`` = cannot be told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    samples: int
    attempts: float
    passed: float
    seconds: float
    cpu_hours: float
    gpu_hours: float = 0.0
    gpu: str = ""
    gpu_bytes: int = 0
    servers: tuple[str, ...] = ()
    workers: int = 1
    measured: int = 0
    margin: float | None = None


class Estimate(BaseModel):
    """The price of a whole run, told before it starts.

    Attributes:
        asked: Pairs asked for.
        planned: Reports planned.
        pairs: Pairs expected.
        seconds: Wall time of all stages.
        stages: What each stage takes.
        prompt_tokens: That the language model reads; ``None`` = its writer does not count them.
        completion_tokens: That it writes.
        images: Films rendered.
        bytes: Disk that the run folder takes.
        bytes_free: Disk free where it would lie; ``None`` = cannot be told.
        measuring: Seconds that this estimate itself took.
        notes: What to know before starting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: int
    planned: int
    pairs: float
    seconds: float
    stages: tuple[StagePrice, ...]
    prompt_tokens: float | None
    completion_tokens: float
    images: float
    bytes: float
    bytes_free: int | None
    measuring: float
    notes: tuple[str, ...] = ()
