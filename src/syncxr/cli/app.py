"""The application that every command joins."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="syncxr",
    help="Make chest X-ray image-report pairs that no patient ever had, and measure what they "
    "are worth.\n\nStart with [bold]syncxr demo[/bold]; every stage also runs alone, on the "
    "previous stage's output or on your own files.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
