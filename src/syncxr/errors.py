"""The one exception users are meant to read."""


class SyncxrError(Exception):
    """A fault in what the user gave: one line naming the file, the value and the remedy.

    The command line prints it without a traceback and exits with status 1.
    """
