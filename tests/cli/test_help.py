"""What `--help` says of values: words of a user, never Python's names of types."""

import re
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from syncxr.cli.main import app


def commands(command: object, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, as typed."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_no_python_types(words: tuple[str, ...]) -> None:
    printed = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "120"}).stdout
    assert re.findall(r"<\w.*?>|\b(?:TEXT|INTEGER|FLOAT)\b", printed) == []
    assert "Usage: " in printed


def test_every_value_has_a_word() -> None:
    assert len(ALL) > 20
    for words in ALL:
        command = typer.main.get_command(app)
        for word in words:
            command = command.commands[word]  # type: ignore[attr-defined]
        for parameter in command.params:
            if not getattr(parameter, "is_flag", False) and "completion" not in str(parameter.name):
                assert parameter.metavar, f"{' '.join(words)}: {parameter.name}"  # type: ignore[attr-defined]
