"""Composes the options that each part owns into one configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from syncxr.entities.matching import MatchingOptions
from syncxr.entities.sampling import SamplingOptions
from syncxr.errors import SyncxrError
from syncxr.evaluation.testsets.making import SimulatedOptions
from syncxr.factory.options import ExecutionOptions, FactoryOptions
from syncxr.pretraining.options import PretrainingOptions
from syncxr.registry import BackendSpec, near
from syncxr.reports.drafting import DraftingOptions
from syncxr.settings import read_yaml

PRESETS = Path(__file__).parent / "presets"

UNFILLED = "???"
"""Stands in a preset where only the user knows the value."""


class Config(BaseModel):
    """Everything that decides what a run makes; ``execution`` decides only how fast.

    Attributes:
        corpus: ``"openi"``, or the path of a corpus (:func:`syncxr.corpora.open.open_corpus`).
        extractor: What reads entities out of reports, in the audit and in verification.
        matching: When an entity of a report is one of its plan.
        trusted_hosts: Hosts other than this machine that data which must stay home may reach
            (:func:`syncxr.corpora.terms.keep_home`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: str = "openi"
    extractor: BackendSpec = BackendSpec(name="rules")
    matching: MatchingOptions = MatchingOptions()
    sampling: SamplingOptions = SamplingOptions()
    writer: BackendSpec = BackendSpec(name="llamacpp")
    drafting: DraftingOptions = DraftingOptions()
    renderer: BackendSpec = BackendSpec(name="simulation")
    judge: BackendSpec = BackendSpec(name="inspector")
    factory: FactoryOptions = FactoryOptions()
    pretraining: PretrainingOptions = PretrainingOptions()
    test_set: SimulatedOptions = SimulatedOptions()
    execution: ExecutionOptions = Field(default_factory=ExecutionOptions)
    trusted_hosts: tuple[str, ...] = ()

    def unfilled(self, *parts: str) -> list[str]:
        """Dotted keys of these fields that are still ``???``."""
        tree = self.model_dump(mode="json", include=set(parts))
        return [key for part in parts for key in _unfilled(tree[part], part)]

    def require(self, *parts: str) -> None:
        """See that the parts that a command is about to use are filled in.

        Args:
            parts: Names of fields.

        Raises:
            SyncxrError: A value is still ``???``; the message names every such key.
        """
        keys = self.unfilled(*parts)
        if keys:
            raise SyncxrError(
                f"not filled in: {', '.join(keys)}; say --set {keys[0]}=… and so on, or copy the "
                f"preset (they lie in {PRESETS}) and fill in your copy"
            )


def presets() -> list[str]:
    """Names of the presets that ship with the package."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_config(source: str, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a preset by name, or one's own YAML file.

    Args:
        source: Name of a preset or path of a file.
        overrides: Dotted key to value, e.g. ``{"sampling.pairs": 50}``; ``None`` values
            are passed over.

    Raises:
        SyncxrError: No such preset or file, not YAML, an unknown key or a wrong value.
    """
    path = PRESETS / f"{source}.yaml" if source in presets() else Path(source)
    if not path.exists():
        raise SyncxrError(
            f"configuration {source!r} is neither a file nor a preset ({', '.join(presets())})"
        )
    raw = read_yaml(path) or {}
    if not isinstance(raw, dict):
        raise SyncxrError(f"{path} must hold keys and values, not {type(raw).__name__}")
    for key, value in (overrides or {}).items():
        if value is not None:
            _set(raw, key, value)
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = "the command line" if (overrides or {}).get(key) is not None else str(path)
        if first["type"] == "extra_forbidden":  # whose value may be a secret out of its place
            hint = near(key, Config) or "correct or remove it"
            raise SyncxrError(f"{where}: there is no key {key!r}; {hint}") from None
        got = repr(first["input"])
        raise SyncxrError(f"{where}, key {key!r}: {first['msg']} (got {got})") from error


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        if tree.get(parent) is None:
            tree[parent] = {}
        tree = tree[parent]
        if not isinstance(tree, dict):
            return  # The wrong type is told by the validation that follows.
    tree[last] = value


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """Dotted keys and values from the command line: ``"sampling.pairs=50"``, values in YAML.

    Raises:
        SyncxrError: Not of that form.
    """
    found = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise SyncxrError(f"--set {pair}: the value is not YAML: {reason}") from error
        if not separator or not key.strip():
            raise SyncxrError(f"--set {pair}: give KEY=VALUE, e.g. sampling.pairs=500")
    return found


def _unfilled(value: Any, key: str) -> list[str]:
    if isinstance(value, Mapping):
        return [
            found for name, inner in value.items() for found in _unfilled(inner, f"{key}.{name}")
        ]
    return [key] if value == UNFILLED else []
