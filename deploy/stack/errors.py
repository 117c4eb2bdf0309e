"""What can go wrong with a stack, each with the remedy in its message."""


class StackError(Exception):
    """The stack, or a part of it, is not as it must be."""


class PartError(StackError):
    """A part of the stack did not start; the supervisor tries again."""


class NotRunningError(StackError):
    """No stack runs on the data folder."""
