"""``python -m syncxr`` is the command line."""

from syncxr.cli import main

main()
