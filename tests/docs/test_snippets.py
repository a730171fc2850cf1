"""Every YAML snippet of the documentation can be pasted into a configuration as it is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncxr.config import Config, load_config
from syncxr.operations.backends import backends

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ("backends.md", "cluster.md", "own-corpus.md", "pretraining.md")
SNIPPETS = [
    pytest.param(snippet[1], id=f"{page}:{text.count(chr(10), 0, snippet.start()) + 1}")
    for page in PAGES
    for text in [(DOCS / page).read_text("utf-8")]
    for snippet in FENCE.finditer(text)
]
# Its package pins a torch of its own and is not among the extras.
NOT_INSTALLED = {"vllm"}


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_is_a_configuration(snippet: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(snippet)
    config = load_config(str(path))
    named = yaml.safe_load(snippet)
    for backend in backends(config):
        if backend.kind in named and backend.spec.name not in NOT_INSTALLED:
            assert backend.options() is not None, f"{backend.kind}: an option is wrong"


def table() -> dict[str, set[str]]:
    """Kind to the names of backends in the table of docs/backends.md."""
    found: dict[str, set[str]] = {}
    kind = ""
    for line in (DOCS / "backends.md").read_text("utf-8").splitlines():
        row = re.match(r"\| (\w*) ?\| `([\w-]+)` \|", line)
        if row:
            kind = row[1] or kind
            found.setdefault(kind, set()).add(row[2])
    return found


def test_every_backend_has_its_line_and_its_snippet() -> None:
    known = {backend.kind: set(backend.table) for backend in backends(Config())}
    assert table() == known
    shown: dict[str, set[Any]] = {kind: set() for kind in known}
    for snippet in SNIPPETS:
        for key, value in yaml.safe_load(str(snippet.values[0])).items():
            if key in shown:
                shown[key].add(value["name"])
    assert shown == known
