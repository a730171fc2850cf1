"""Prompt sets as data: which texts affirm and deny a finding."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from syncxr.errors import SyncxrError
from syncxr.pretraining.prompt import Prompt


class _Set(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    affirm: tuple[str, ...]
    deny: tuple[str, ...]
    names: Literal["first", "all"]
    also: bool


class _Finding(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    names: tuple[str, ...]
    affirm: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class PromptBook(BaseModel):
    """The data file.

    Attributes:
        sets: Name of a prompt set to its patterns.
        findings: Finding to its names and sentences.
        labels: Name of a label in a public test set, lower case, to the finding.
        normal_labels: Names that say that nothing is abnormal, lower case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sets: dict[str, _Set]
    findings: dict[str, _Finding]
    labels: dict[str, str]
    normal_labels: tuple[str, ...]

    def prompts(self, name: str, findings: Iterable[str]) -> dict[str, Prompt]:
        """The prompts of a set for ``findings``; one unknown to the file is called by its name.

        Raises:
            SyncxrError: Unknown set.
        """
        if name not in self.sets:
            raise SyncxrError(f"prompt set {name!r} is unknown; known: {', '.join(self.sets)}")
        chosen = self.sets[name]
        return {finding: self._prompt(chosen, finding) for finding in findings}

    def finding(self, label: str) -> str | None:
        """The finding a label stands for; ``""`` for a normal film, None if it is not known."""
        key = label.strip().lower()
        if key in self.normal_labels:
            return ""
        key = self.labels.get(key, key.replace("_", " "))
        return key if key in self.findings else None

    def _prompt(self, chosen: _Set, finding: str) -> Prompt:
        entry = self.findings.get(finding, _Finding(names=(finding,)))
        names = entry.names[:1] if chosen.names == "first" else entry.names

        def fill(patterns: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
            texts = [_filled(pattern, name) for pattern in patterns for name in names]
            return tuple(dict.fromkeys([*texts, *(own if chosen.also else ())]))

        return Prompt(fill(chosen.affirm, entry.affirm), fill(chosen.deny, entry.deny))


@cache
def load_prompts() -> PromptBook:
    """The prompts that ship with the package."""
    raw = yaml.safe_load((Path(__file__).parent / "prompts.yaml").read_text("utf-8"))
    return PromptBook(**raw)


def _filled(pattern: str, name: str) -> str:
    """A pattern about one name; a sentence begins with a capital, and "no" takes no article."""
    bare = name.removeprefix("an ").removeprefix("a ")
    denying = pattern.lower().startswith(("no ", "there is no "))
    text = pattern.replace("<finding>", bare if denying else name)
    return text[0].upper() + text[1:] if text.endswith(".") else text
