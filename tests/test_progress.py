"""What is left on the screen when a bar has ended."""

import io

import pytest
from rich.console import Console

from syncxr import progress


@pytest.mark.parametrize(("total", "done"), [(None, 0), (5, 0), (5, 2)])
@pytest.mark.parametrize("width", [80, 140])
def test_a_bar_ends_full(
    monkeypatch: pytest.MonkeyPatch, total: int | None, done: int, width: int
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=screen, width=width))
    with progress.bar("films", total, done) as running:
        for _ in range(5 - done):
            running.advance()
    assert "5/5" in screen.getvalue()
    assert "left 0:00:00" in screen.getvalue()


def test_a_bar_of_unknown_length_that_fails_claims_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=screen, width=80))
    with pytest.raises(KeyError), progress.bar("films", None) as running:
        running.advance()
        raise KeyError
    assert "1/?" in screen.getvalue()
