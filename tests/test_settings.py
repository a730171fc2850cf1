"""YAML files that people write: faults in one line that names file and key."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from syncxr.errors import SyncxrError
from syncxr.settings import checked, read_yaml


class Inner(BaseModel):
    size: int


class Outer(BaseModel):
    inner: Inner


def test_values_become_the_model(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("inner: {size: 3}")
    assert checked(Outer, read_yaml(path), path).inner.size == 3


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\xff", None])
def test_a_file_that_cannot_be_read_is_named_in_one_line(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SyncxrError, match=r"a\.yaml is not readable YAML: .") as found:
        read_yaml(path)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("values", [{"inner": {"size": "wide"}}, {"inner": {}}])
def test_the_first_wrong_key_is_named(values: dict, tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match=r"a\.yaml, key 'inner\.size': "):
        checked(Outer, values, tmp_path / "a.yaml")
