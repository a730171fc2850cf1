"""What a user may choose about drafting."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DraftingOptions(BaseModel):
    """How reports are drafted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: Literal["grammar", "two-step"] = Field(
        default="grammar",
        description="grammar: both sections from one completion that is held to a grammar, for "
        "statements of the lexicon and a writer that takes grammars. two-step: as in the paper "
        "(section 3), FINDINGS freely from the statements, then IMPRESSION from FINDINGS, each "
        "written again by itself until it verifies; for any statements and any writer.",
    )
    vocabulary: Literal["lexicon", "open"] = Field(
        default="lexicon",
        description="What entities are: lexicon: statements of the project's lexicon, told as "
        '"mild left pleural effusion", "normal heart". open: terms of any extractor (RaTE-NER), '
        'told with their category, "heart (ANATOMY)"; for two-step only.',
    )
    temperature: float = Field(
        default=1.0, ge=0, description="Of the choice among words; 0 = always the likeliest."
    )

    @model_validator(mode="after")
    def _grammar_knows_the_lexicon(self) -> DraftingOptions:
        if self.vocabulary == "open" and self.strategy == "grammar":
            raise ValueError("vocabulary: open needs strategy: two-step")
        return self
