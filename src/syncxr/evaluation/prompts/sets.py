"""Reading a prompt set and filling its patterns."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from syncxr.errors import SyncxrError
from syncxr.pretraining.prompt import Prompt

_FOLDER = Path(__file__).parent


class _Finding(BaseModel):
    """What a set says of one finding.

    Attributes:
        name: What it is called in patterns; its own name by default.
        affirm: Texts in the place of the set's patterns.
        deny: As ``affirm``.
        words: As in :class:`_File`; these go before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None
    affirm: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class _File(BaseModel):
    """The data file.

    Attributes:
        about: What the set does, in words.
        combine: How the logits of the texts of one side become one.
        affirm: Patterns with ``{finding}`` (``{Finding}``: with a capital) and the slots of
            ``words``; every combination of words is one text.
        deny: As ``affirm``; empty = nothing is denied.
        words: Slot to its words; ``""`` leaves the slot out.
        findings: Finding to what differs from the above.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str
    combine: Literal["mean", "max"] = "mean"
    affirm: tuple[str, ...] = Field(min_length=1)
    deny: tuple[str, ...]
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    findings: dict[str, _Finding] = Field(default_factory=dict)


@dataclass(frozen=True)
class PromptSet:
    """Texts that affirm and texts that deny each finding.

    Attributes:
        name: File name without its ending.
        sha256: Hash of the file's bytes: ``sha256sum`` of the file.
        file: Its content.
    """

    name: str
    sha256: str
    file: _File

    @property
    def title(self) -> str:
        """Name and hash as they are printed beside each number."""
        return f"{self.name} {self.sha256[:8]}"

    @property
    def about(self) -> str:
        """What the set does, in words."""
        return self.file.about

    @property
    def probabilities(self) -> bool:
        """Whether scores are probabilities: something is denied, so that .5 has a meaning."""
        return bool(self.file.deny)

    def prompt(self, finding: str) -> Prompt:
        """The texts of one finding; one that the file does not list takes the set's patterns."""
        own = self.file.findings.get(finding, _Finding())
        words: dict[str, tuple[str, ...]] = {**self.file.words, **own.words}
        name = own.name or finding

        def texts(patterns: tuple[str, ...]) -> tuple[str, ...]:
            filled = [text for pattern in patterns for text in _filled(pattern, name, words)]
            return tuple(dict.fromkeys(filled))

        return Prompt(
            texts(self.file.affirm if own.affirm is None else own.affirm),
            texts(self.file.deny if own.deny is None else own.deny),
            self.file.combine,
        )

    def prompts(self, findings: Iterable[str]) -> dict[str, Prompt]:
        """The texts of each finding, in order."""
        return {finding: self.prompt(finding) for finding in findings}


@cache
def shipped() -> tuple[str, ...]:
    """Names of the sets that ship with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_prompt_set(source: str) -> PromptSet:
    """A shipped prompt set by its name, or one's own by the path of its YAML file.

    Raises:
        SyncxrError: Unknown name, or a file that is no prompt set.
    """
    path = _FOLDER / f"{source}.yaml" if source in shipped() else Path(source)
    if path.suffix not in (".yaml", ".yml"):
        raise SyncxrError(
            f"prompt set {source!r} is unknown; known: {', '.join(shipped())}, "
            "or the path of a YAML file"
        )
    try:
        content = path.read_bytes()
        file = _File.model_validate(yaml.safe_load(content))
        for text in _all_patterns(file):
            _slots(text, file.words)
    except OSError as error:
        raise SyncxrError(f"prompt set {path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SyncxrError(f"prompt set {path}: {place}: {first['msg']}; mend it") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SyncxrError(f"prompt set {path}: {reason}; mend it") from error
    return PromptSet(path.stem, hashlib.sha256(content).hexdigest(), file)


def _all_patterns(file: _File) -> Iterable[str]:
    yield from (*file.affirm, *file.deny)
    for own in file.findings.values():
        yield from (*(own.affirm or ()), *(own.deny or ()))


def _slots(pattern: str, words: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Slots of a pattern other than the finding.

    Raises:
        ValueError: A slot has no words, or braces do not match.
    """
    named = [name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None]
    slots = [name for name in dict.fromkeys(named) if name.lower() != "finding"]
    if unknown := [name for name in slots if name not in words]:
        raise ValueError(f"pattern {pattern!r} has the slot {unknown[0]!r}, which has no words")
    return slots


def _filled(pattern: str, name: str, words: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    """A pattern with every combination of words."""
    slots = _slots(pattern, words)
    for chosen in product(*(words[slot] for slot in slots)):
        values = dict(zip(slots, chosen, strict=True))
        text = pattern.format(finding=name, Finding=name[:1].upper() + name[1:], **values)
        yield " ".join(text.split())
