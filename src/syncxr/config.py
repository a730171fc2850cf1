"""Composes the options that each part owns into one configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from syncxr.entities.sampling import SamplingOptions
from syncxr.errors import SyncxrError
from syncxr.evaluation.simulated import SimulatedOptions
from syncxr.factory.options import ExecutionOptions, FactoryOptions
from syncxr.pretraining.options import PretrainingOptions
from syncxr.registry import BackendSpec
from syncxr.reports.drafting import DraftingOptions

PRESETS = Path(__file__).parent / "presets"


class Config(BaseModel):
    """Everything that decides what a run makes; ``execution`` decides only how fast.

    Attributes:
        corpus: ``"openi"`` or the path of one's own reports (CSV or folder of .txt).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: str = "openi"
    sampling: SamplingOptions = SamplingOptions()
    writer: BackendSpec = BackendSpec(name="llamacpp")
    drafting: DraftingOptions = DraftingOptions()
    renderer: BackendSpec = BackendSpec(name="simulation")
    judge: BackendSpec = BackendSpec(name="inspector")
    factory: FactoryOptions = FactoryOptions()
    pretraining: PretrainingOptions = PretrainingOptions()
    test_set: SimulatedOptions = SimulatedOptions()
    execution: ExecutionOptions = Field(default_factory=ExecutionOptions)


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
    try:
        raw = yaml.safe_load(path.read_text("utf-8")) or {}
    except FileNotFoundError as error:
        raise SyncxrError(
            f"configuration {source!r} is neither a file nor a preset ({', '.join(presets())})"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SyncxrError(f"{path} is not readable YAML: {reason}") from error
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
        got = repr(first["input"])
        raise SyncxrError(f"{path}, key {key!r}: {first['msg']} (got {got})") from error


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        if tree.get(parent) is None:
            tree[parent] = {}
        tree = tree[parent]
        if not isinstance(tree, dict):
            return  # The wrong type is told by the validation that follows.
    tree[last] = value
