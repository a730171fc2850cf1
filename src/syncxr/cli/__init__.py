"""In: words on the command line. Out: one function's result, for people or as JSON.

Must not know: how anything is done.
"""

from syncxr.cli.main import main

__all__ = ["main"]
