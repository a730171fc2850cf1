"""YAML files that people write, checked against the model of what may stand in them.

In: a file. Out: its values.
Must not know: what they are for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from syncxr.errors import SyncxrError

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path) -> Any:
    """Values of a file.

    Raises:
        SyncxrError: It cannot be read, or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SyncxrError(f"{path} is not readable YAML: {reason}") from error


def checked(model: type[Model], values: Any, path: Path) -> Model:
    """Values of a file as a model.

    Raises:
        SyncxrError: A key is missing, unknown or wrong; the message names the first.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SyncxrError(f"{path}, key {key!r}: {first['msg']}") from error
