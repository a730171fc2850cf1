"""The words in which image judges are asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.curation.judge import QUESTIONS
from syncxr.errors import SyncxrError

WORDING = Path(__file__).parent / "questions.yaml"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    each: str
    all: str
    questions: dict[str, str]


@dataclass(frozen=True)
class Wording:
    """How the six questions are put.

    Attributes:
        questions: Question to its words.
        sha256: Hash of the file, for provenance.
    """

    questions: dict[str, str]
    sha256: str
    _each: str
    _all: str

    def each(self, question: str) -> str:
        """One question, to be answered in one word."""
        return self._each.format(question=self.questions[question])

    def all(self) -> str:
        """All six, to be answered as one JSON object."""
        lines = "\n".join(f"{name}: {words}" for name, words in self.questions.items())
        return self._all.format(questions=lines, keys=json.dumps(list(self.questions)))


@cache
def load_wording(path: Path = WORDING) -> Wording:
    """Read a wording.

    Raises:
        SyncxrError: The file is missing, or is not of the form of ``questions.yaml``.
    """
    try:
        data = path.read_bytes()
        read = _File.model_validate(yaml.safe_load(data))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise SyncxrError(f"{path} holds no questions ({reason}); see {WORDING}") from error
    if set(read.questions) != set(QUESTIONS):
        raise SyncxrError(f"{path} must ask exactly: {', '.join(QUESTIONS)}")
    if "{question}" not in read.each or "{questions}" not in read.all:
        raise SyncxrError(f"{path}: 'each' needs {{question}}, 'all' needs {{questions}}")
    ordered = {name: read.questions[name] for name in QUESTIONS}
    return Wording(ordered, hashlib.sha256(data).hexdigest(), read.each, read.all)
