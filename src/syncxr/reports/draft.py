"""What is asked of a drafting strategy, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syncxr.sample import Category, Entity, derive_seed


@dataclass(frozen=True)
class DraftRequest:
    """One report to write.

    Attributes:
        id: Sample it belongs to.
        entities: What FINDINGS has to say, no more and no less.
        seed: Decides order and words, with what the writer's engine promises.
        findings: FINDINGS that stand already, verified; a strategy that writes the sections one
            after the other only sums them up. ``""`` = none.
    """

    id: str
    entities: tuple[Entity, ...]
    seed: int
    findings: str = ""

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers for one decision about this report."""
        return np.random.default_rng(derive_seed(self.id, f"draft {purpose}", self.seed))


@dataclass(frozen=True)
class Draft:
    """One report as written, not yet verified.

    Attributes:
        id: Sample it belongs to.
        findings: FINDINGS section.
        impression: IMPRESSION section; ``""`` as well where FINDINGS were not worth summing up.
        tokens: Tokens the model wrote for both.
        failure: Why the writer gave no text that can be used; ``""`` = it did.
        prompt_tokens: Tokens it read for them, 0 where the engine does not say.
    """

    id: str
    findings: str
    impression: str
    tokens: int
    failure: str = ""
    prompt_tokens: int = 0


def statement(entity: Entity) -> str:
    """An entity as a model is told it, e.g. ``"no pleural effusion"``, ``"normal left base"``."""
    normal_place = entity.category is Category.ANATOMY and entity.location
    return f"normal {entity.location}" if normal_place else str(entity)
