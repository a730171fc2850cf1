"""Prompts as files, one readable file each: version, hash and text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from syncxr.reports.draft import DraftRequest

FOLDER = Path(__file__).parent / "prompts"
EXAMPLES = tuple(sorted(path.name for path in FOLDER.glob("examples-*.txt")))

_HEAD = re.compile(r"# version (\d+)\n")


@dataclass(frozen=True)
class Template:
    """A prompt file.

    Attributes:
        text: What it holds, less its first line; a name in braces is a gap.
        version: Number in its first line, raised with every change.
        sha256: Hash of the whole file.
    """

    text: str
    version: int
    sha256: str

    def fill(self, **gaps: str) -> str:
        """The text with its gaps filled."""
        return re.sub(r"\{(\w+)\}", lambda match: gaps[match[1]], self.text)

    def provenance(self) -> dict[str, Any]:
        """Version and hash, JSON values."""
        return {"version": self.version, "sha256": self.sha256}


@cache
def load_template(name: str) -> Template:
    """A file of the folder ``prompts``."""
    content = (FOLDER / name).read_text("utf-8")
    head = _HEAD.match(content)
    assert head, f"{name} must begin with '# version N'"
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Template(content[head.end() :].strip("\n"), int(head[1]), digest)


def examples(request: DraftRequest, sections: tuple[str, ...]) -> str:
    """Reports for a model to take its manner from, cut down to some of their sections.

    A small model takes its manner from its examples, so there are several sets of them, and the
    seed picks one.
    """
    name = EXAMPLES[request.rng("prompt").integers(len(EXAMPLES))]
    lines = load_template(name).text.split("\n")
    return "\n".join(line for line in lines if not line or line.startswith(sections))
