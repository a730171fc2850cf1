"""The one exception users are meant to read."""


class SyncxrError(Exception):
    """A fault in what the user gave: one line naming the file, the value and the remedy.

    The command line prints it without a traceback and exits with status 1.
    """


class Stopped(SyncxrError):
    """A signal ended a run that can go on: one line saying how.

    The command line exits with :attr:`status`, sysexits' "try again" (EX_TEMPFAIL), so that a
    scheduler can tell it from a fault and start the same command again.
    """

    status = 75
