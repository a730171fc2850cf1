"""The application that every command joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def _worded(parameters: list[Any]) -> list[Any]:
    """Let help say what a value is in the words given here, never Python's name of its type."""
    for parameter in parameters:
        option = parameter.param_type_name == "option"
        word = (parameter.metavar or "") if option else ""  # an argument's stands in its name
        parameter.display_type_rich = lambda ctx, word=word: word
    return parameters


class Command(TyperCommand):
    """A command whose help speaks of PATH and FOLDER."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Arguments and options, ``--help`` among them."""
        return _worded(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands, likewise."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Arguments and options, ``--help`` among them."""
        return _worded(super().get_params(ctx))


class App(typer.Typer):
    """Commands, or a group of them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cls=Group, **options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a command."""
        return super().command(name, cls=Command, **options)


app = App(
    name="syncxr",
    help="Make chest X-ray image-report pairs that no patient ever had, and measure what they "
    "are worth.\n\nStart with [bold]syncxr demo[/bold]; every stage also runs alone, on the "
    "previous stage's output or on your own files.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
