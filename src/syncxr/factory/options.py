"""Options of the factory itself."""

from __future__ import annotations

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


class ExecutionOptions(BaseModel):
    """What may change from one start to the next without changing a byte.

    Attributes:
        workers: Processes that render and judge.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(default=2, ge=1)
