"""Options of the factory itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FactoryOptions(BaseModel):
    """How much is made at once and how often it is tried.

    Attributes:
        shard_size: Samples in a shard, the unit of work, commit and distribution.
        draft_attempts: Drafts a report may have before it is rejected.
        film_attempts: Films a report may have before it is rejected.
        surplus: Share of reports planned beyond the pairs asked for, so that rejected ones
            do not leave the dataset short.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shard_size: int = Field(default=50, ge=1)
    draft_attempts: int = Field(default=8, ge=1)
    film_attempts: int = Field(default=6, ge=1)
    surplus: float = Field(default=0.03, ge=0)


class StageOptions(BaseModel):
    """How one stage is spread; what is left out follows from its backends.

    Attributes:
        workers: Workers, each with the stage's models.
        shards: Shards that a worker has in hand at a time: several while it waits for a server,
            two beside a GPU, so that one is stored while the next is worked on, else one.
        cpus: Cores that a worker takes of a Ray cluster.
        gpus: Graphics processors that a worker takes of a Ray cluster, e.g. 1 or 0.5.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int | None = Field(default=None, ge=1)
    shards: int | None = Field(default=None, ge=1)
    cpus: float | None = Field(default=None, ge=0)
    gpus: float | None = Field(default=None, ge=0)


class RayOptions(BaseModel):
    """Which Ray cluster works.

    Attributes:
        address: ``"auto"`` for the cluster that this machine belongs to, ``"ray://host:10001"``
            for one elsewhere; without one, a cluster of this machine alone is started.
        cpus: Cores of a cluster that is started here; all if left out.
        gpus: Graphics processors of a cluster that is started here; all if left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str | None = None
    cpus: int | None = Field(default=None, ge=1)
    gpus: int | None = Field(default=None, ge=0)


class ExecutionOptions(BaseModel):
    """What may change from one start to the next without changing a byte.

    Attributes:
        workers: Workers of each stage that works on cores or GPUs of its own.
        executor: ``local`` is this machine, ``ray`` a cluster.
        ray: Which cluster.
        stages: Stage (``drafts``, ``films``, ``curated``) to what is other for it.
        corrupt_limit: Share of one's own films that may not open when they are curated; they are
            named and skipped. Three may be so in any folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(default=2, ge=1)
    executor: Literal["local", "ray"] = "local"
    ray: RayOptions = RayOptions()
    stages: dict[Literal["drafts", "films", "curated"], StageOptions] = {}
    corrupt_limit: float = Field(default=0.01, ge=0, le=1)

    def stage(self, name: str) -> StageOptions:
        """What is other for a stage; nothing for one that is not named."""
        return {str(key): given for key, given in self.stages.items()}.get(name, StageOptions())
