"""The command line as a whole: the groups of commands, and the one place where errors become sentences."""

import sys
from collections.abc import Sequence

import typer

from cli import (
    adapters,
    boards,
    dead_letters,
    demo,
    explain,
    gaps,
    kpi,
    load,
    migrate,
    processes,
    reconcile,
    refold,
    repair,
    send,
    settings,
    simulate,
    watch,
)
from cli.failures import describe
from cli.options import examples
from cli.output import flush_data, say
from hotline.lean import without_pandas

GROUPS = (
    *(processes, load, send, simulate, adapters, dead_letters, gaps, demo),
    *(kpi, explain, watch, reconcile, repair, refold, migrate, boards, settings),
)

app = typer.Typer(
    name="hotline",
    help="Exact KPIs of a city's service hotline: calls and tickets in, figures out.",
    epilog=examples("hotline up", "hotline status --wait 60", "hotline url clickhouse"),
    no_args_is_help=True,
    rich_markup_mode=None,  # help is plain text: it can be copied, and rich need not be loaded for it
    pretty_exceptions_enable=False,
)
for group in GROUPS:
    group.register(app)


def main() -> None:
    """Run the command that the shell gave and end the process with its exit code."""
    without_pandas()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0, 1 (differs, incomplete), 2 (cannot), 3 (not running)."""
    try:
        code = app(args=list(arguments), prog_name="hotline", standalone_mode=False)
        flush_data()
    except Exception as error:  # noqa: BLE001  whatever it is, nobody is shown a traceback
        failure = describe(error)
        say(failure.sentence)
        return failure.exit_code
    return code if isinstance(code, int) else 0
