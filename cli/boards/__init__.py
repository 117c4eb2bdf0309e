"""Commands about boards: what there is, as files, in a Grafana, and on the web board."""

import typer

from cli.boards.files import export, lint, list_
from cli.boards.grafana import annotate, diff, push
from cli.boards.web import open_, shot
from cli.options import examples


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        help="Boards: look at them, take pictures; list, check and export them, and push them into a Grafana.",
        epilog=examples(
            "hotline boards open",
            "hotline boards shot wall --out wall.png",
            "hotline boards list",
            "hotline boards push --url http://localhost:3000 --dry-run",
            "hotline boards export boards",
        ),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command(
        epilog=examples(
            "hotline boards push --url http://localhost:3000 --token-file grafana.token --dry-run",
            "GRAFANA_TOKEN=... hotline boards push --url https://example.org/grafana",
            'hotline boards push wall calls --lang zh --message "1.2 of the rules" --annotate "release 1.2"',
            "hotline boards push --wait 60 --json",
        )
    )(push)
    group.command(
        epilog=examples(
            "hotline boards diff --url http://localhost:3000 --token-file grafana.token",
            "hotline boards diff wall --json",
        )
    )(diff)
    group.command(
        epilog=examples(
            'hotline boards annotate "release 1.2" --tag release --url http://localhost:3000',
            'hotline boards annotate "no calls from the west" --tag incident --at 2026-03-02T08:30',
            'hotline boards annotate "Spring Festival" --tag holiday --period 2026-02-15..2026-02-24',
        )
    )(annotate)
    group.command(
        epilog=examples(
            "hotline boards shot wall --out wall.png --theme dark",
            "hotline boards shot calls --lang zh --out calls.png --full --from now/d --var line=12345",
            "hotline boards shot annual --out annual.pdf --from 2023-01-01 --to 2023-12-31",
        )
    )(shot)
    group.command("open", epilog=examples("hotline boards open", "hotline boards open calls --lang zh"))(open_)
    group.command(
        "list",
        epilog=examples(
            "hotline boards list",
            "hotline boards list --lang zh --json",
            "hotline boards list --url http://grafana:3000",
        ),
    )(list_)
    group.command(
        epilog=examples(
            "hotline boards export boards", "HOTLINE_ZONE=Europe/Berlin hotline boards export boards --lang en"
        )
    )(export)
    group.command(epilog=examples("hotline boards lint", "hotline boards lint boards/en/wall.json --json"))(lint)
    app.add_typer(group, name="boards")
