"""The error that a user can act on; imported by everything, imports nothing of ours."""

__all__ = ["KerasfaceError"]


class KerasfaceError(Exception):
    """Something about the user's files or choices that the message says how to mend.

    The command line prints the message alone, without a traceback, and exits with 2. Wrong arguments in Python code
    raise `ValueError` or `TypeError` instead.
    """
