"""How a process of ours ends when somebody else has to know why."""

EXIT_UNEXPECTED = 70
"""Something went wrong, and a start anew may mend it (EX_SOFTWARE of sysexits.h)."""
EXIT_HOLE = 74
"""The log that it reads has a hole, which no start anew mends (EX_IOERR)."""
