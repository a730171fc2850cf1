import os

import pytest

from syncxr.threads import usable_cores


def test_cores_where_the_system_tells_what_a_process_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 8}, raising=False)
    assert usable_cores() == 3


def test_cores_where_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows have no such call."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
