"""The commands keep their contract: exit codes, data on stdout and nothing else, sentences with a remedy on stderr."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from cli.main import app, run
from deploy.brokers import open_admin
from deploy.stack.stopping import found
from hotline.settings import load
from sinks.connecting import connect
from sinks.migrations import apply
from tests.deploy.stacks import Stack, wait_until

COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands if command.callback)
PARTS = ["engine", "broker", "sink", "worker-0", "roll"]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack, for tests that leave it running."""
    made = Stack(tmp_path_factory.mktemp("up") / "d")
    made.running()
    yield made
    made.clean()


@pytest.fixture
def down(tmp_path: Path) -> Iterator[Stack]:
    """Give a data folder that is not there yet."""
    made = Stack(tmp_path / "d")
    yield made
    made.clean()


class TestStatus:
    def test_without_a_stack_it_is_3_and_starts_nothing(self, down: Stack) -> None:
        done = down.run("status")
        assert (done.returncode, done.stdout) == (3, "")
        assert "start one with hotline up" in done.stderr
        assert not down.data.exists()
        assert down.run("status", "--wait", "0.5").returncode == 3

    def test_without_a_stack_it_is_still_json(self, down: Stack) -> None:
        done = down.run("status", "--json")
        found = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (3, "")
        assert (found["state"], found["pid"], found["parts"]) == ("stopped", None, [])

    def test_with_every_part_answering_it_is_0(self, up: Stack) -> None:
        done = up.run("status")
        assert (done.returncode, done.stderr) == (0, "")
        assert [line.split()[:2] for line in done.stdout.splitlines()] == [[name, "answers"] for name in PARTS]

    def test_the_json_names_every_part(self, up: Stack) -> None:
        found = up.status()
        assert (found["state"], found["pid"], found["data"]) == ("running", up.state()["pid"], str(up.data))
        assert [part["name"] for part in found["parts"]] == PARTS
        assert all(part["answers"] and part["pid"] for part in found["parts"])

    def test_with_a_part_missing_it_is_1(self, down: Stack) -> None:
        down.data.mkdir()
        (down.data / "deaf-sink").touch()
        down.up()
        wait_until(down.starts, "engine and broker are ready, and the sink begins")
        done = down.run("status", "--wait", "0.5", "--json")
        assert done.returncode == 1
        answers = {part["name"]: part["answers"] for part in json.loads(done.stdout)["parts"]}
        assert answers == {"engine": True, "broker": True, "sink": False, "worker-0": False, "roll": False}


class TestDown:
    def test_it_ends_every_process_before_it_returns(self, down: Stack) -> None:
        started = down.running()
        done = down.run("down")
        assert (done.returncode, done.stdout) == (0, "")
        assert f"process {started.pid}" in done.stderr
        assert down.processes() == []
        assert started.wait(10) == 0

    def test_without_a_stack_it_is_3(self, down: Stack) -> None:
        done = down.run("down")
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == f"hotline: no stack runs on {down.data}: start one with hotline up\n"


class TestUrl:
    @pytest.mark.parametrize(("server", "account"), [("clickhouse", "reader"), ("clickhouse-writer", "writer")])
    def test_the_password_is_there_only_with_the_flag(self, up: Stack, server: str, account: str) -> None:
        password = (up.data / "secrets" / f"{account}.password").read_text().strip()
        bare, whole = up.run("url", server).stdout, up.run("url", server, "--with-password").stdout
        assert urlsplit(bare).username == urlsplit(whole).username == account
        assert (urlsplit(bare).password, urlsplit(whole).password) == (None, password)
        assert bare.count("\n") == whole.count("\n") == 1

    def test_an_ordinary_client_takes_the_line(self, up: Stack) -> None:
        with self.client(up, "clickhouse") as client:
            assert client.command("SELECT 1") == 1
            with pytest.raises(DatabaseError, match="reader"):
                client.command("CREATE DATABASE forbidden")
        with self.client(up, "clickhouse-writer") as client:
            client.command("CREATE DATABASE IF NOT EXISTS allowed")

    def test_the_brokers_line_is_host_and_port(self, up: Stack) -> None:
        with open_admin(up.run("url", "broker").stdout.strip()) as admin:
            assert admin.list_topics()

    def test_without_a_stack_it_is_3(self, down: Stack) -> None:
        done = down.run("url", "clickhouse")
        assert (done.returncode, done.stdout) == (3, "")

    def test_a_server_of_others_needs_no_stack(self, down: Stack) -> None:
        done = down.run("url", "clickhouse", HOTLINE_CLICKHOUSE_URL="https://ch.example:8443")
        assert done.stdout == "https://reader@ch.example:8443/\n"

    @staticmethod
    def client(stack: Stack, server: str) -> Client:
        line = stack.run("url", server, "--with-password").stdout.strip()
        return clickhouse_connect.get_client(dsn=line, autogenerate_session_id=False)


class TestConfig:
    def test_every_setting_has_a_value_an_origin_and_a_line(self, up: Stack) -> None:
        found = json.loads(up.run("config", "--json", HOTLINE_BATCH_WAIT_MS="3").stdout)
        assert found["batch_wait_ms"] == {
            "value": 3,
            "origin": "environment HOTLINE_BATCH_WAIT_MS",
            "doc": "Longest time the sink gathers a batch.",
        }
        assert (found["partitions"]["value"], found["partitions"]["origin"]) == (2, f"fixed in {up.data}")
        assert all(set(row) == {"value", "origin", "doc"} for row in found.values())

    @pytest.mark.parametrize("form", [[], ["--json"]])
    def test_no_secret_is_printed(self, up: Stack, form: list[str]) -> None:
        done = up.run("config", *form)
        assert done.returncode == 0
        assert "********" in done.stdout
        for file in (up.data / "secrets").iterdir():
            assert file.read_bytes().strip() not in (done.stdout + done.stderr).encode()

    def test_a_variable_that_is_no_setting_is_told_on_stderr(self, down: Stack) -> None:
        done = down.run("config", HOTLINE_ZNE="x")
        assert done.stderr == "hotline: the environment variable HOTLINE_ZNE is no setting and is ignored\n"


class TestDoctor:
    def test_it_starts_and_makes_nothing(self, down: Stack) -> None:
        done = down.run("doctor", "--json")
        found = {finding["check"]: finding for finding in json.loads(done.stdout)}
        assert {"python", "chdb", "disk", "memory", "clock", "data", "stack"} <= set(found)
        assert not down.data.exists()

    def test_a_secret_that_others_can_read_is_named_with_its_remedy(self, down: Stack) -> None:
        secret = down.data / "secrets" / "reader.password"
        secret.parent.mkdir(parents=True)
        secret.parent.chmod(0o700)
        secret.write_text("word")
        secret.chmod(0o644)
        done = down.run("doctor")
        (line,) = [line for line in done.stdout.splitlines() if "reader.password" in line]
        assert (done.returncode, line.startswith("warn"), f"run chmod 600 {secret}" in line) == (1, True, True)

    def test_a_taken_port_is_named_with_its_remedy(self, down: Stack, up: Stack) -> None:
        taken = up.part("broker")["address"].rpartition(":")[2]
        done = down.run("doctor", HOTLINE_BROKER_PORT=taken)
        assert done.returncode == 1
        assert f"{taken} is taken: stop the program that holds it, or set broker_port" in done.stdout

    def test_a_calendar_that_ends_soon_is_named_with_its_remedy(self, down: Stack) -> None:
        down.data.mkdir()
        file = down.data / "days.toml"
        file.write_text(
            'format = 1\nname = "old"\nversion = 2\nzone = "Asia/Shanghai"\nfirst_day = 2020-01-01\n'
            'last_day = 2020-12-31\nweek = {mon = [["09:00", "17:00"]]}\n'
        )
        done = down.run("doctor", HOTLINE_CALENDAR=str(file))
        (line,) = [line for line in done.stdout.splitlines() if "old, version 2" in line]
        assert (done.returncode, line.startswith("warn")) == (1, True)
        assert f"knows 2020-01-01 to 2020-12-31: list the holidays of the years that follow in {file}" in line

    def test_tickets_without_a_deadline_in_a_year_that_nobody_announced_are_an_error_with_its_remedy(
        self, up: Stack
    ) -> None:
        with connect(found(load(up.data, {})[0]), "writer") as clickhouse:
            apply(clickhouse, "Asia/Shanghai")
            try:
                clickhouse.command(
                    "INSERT INTO hotline.tickets (source, entity, born_at, dispatched_at, rule_version, version) "
                    "VALUES ('crm', 'T-1', '2031-03-01 09:00:00', '2031-03-01 10:00:00', 1, 1)"
                )
                done = up.run("doctor")
            finally:
                clickhouse.command("DROP DATABASE hotline")
        (line,) = [line for line in done.stdout.splitlines() if "deadlines" in line]
        assert (done.returncode, line.startswith("warn")) == (1, True)
        assert "1 tickets lack the one that the rule gives them, such as crm/T-1, dispatched on 2031-03-01" in line
        assert re.search(r"the calendar cn\S* knows 2004-01-01 to \d{4}-12-31: ", line)
        assert "then hotline migrate folds them again" in line
        (line,) = [line for line in up.run("doctor").stdout.splitlines() if "deadlines" in line]
        assert line.startswith("ok")


class TestErrors:
    @pytest.mark.parametrize("setting", ["calendar", "deadline_rule_file"])
    def test_a_file_of_working_time_that_cannot_be_used_is_2_before_anything_starts(
        self, down: Stack, setting: str
    ) -> None:
        down.data.mkdir()
        file = down.data / "given.toml"
        file.write_text("format = 2\n")
        done = down.run("up", **{f"HOTLINE_{setting.upper()}": str(file)})
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{file}: format: " in done.stderr
        assert down.processes() == []

    @pytest.mark.parametrize("command", ["up", "status", "config", "doctor", "down"])
    def test_an_unknown_zone_is_2_and_one_sentence(self, down: Stack, command: str) -> None:
        done = down.run(command, HOTLINE_ZONE="Asia/Shanghia")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "Asia/Shanghai" in done.stderr

    @pytest.mark.parametrize("arguments", [["nonsense"], ["status", "--nonsense"], ["url"], ["url", "nonsense"]])
    def test_a_wrong_command_line_is_2_and_says_where_help_is(self, down: Stack, arguments: list[str]) -> None:
        done = down.run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("hotline: ")
        assert "--help" in done.stderr

    def test_the_unexpected_is_a_sentence_that_names_a_log(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError("of a test")

        monkeypatch.setattr("hotline.settings.load", fail)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert run(["config"]) == 2
        told = capsys.readouterr().err
        (log,) = tmp_path.glob("hotline-error-*.log")
        assert told.startswith("hotline: unexpected ZeroDivisionError: of a test")
        assert str(log) in told
        assert "Traceback" in log.read_text()
        assert "Traceback" not in told

    def test_a_reader_that_has_read_enough_is_no_error(self, down: Stack) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        try:
            command = [sys.executable, "-m", "cli", "config"]
            done = subprocess.run(command, env=down.environ, stdout=writer, stderr=subprocess.PIPE, check=False)
        finally:
            os.close(writer)
        assert (done.returncode, done.stderr) == (0, b"")


HEAVY = {"polars", "numpy", "kafka", "faust", "pyarrow", "clickhouse_connect", "aiohttp"}


def loaded_by(code: str) -> set[str]:
    """Name the modules that a process of its own has loaded after this code."""
    code += "; import sys; print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_examples_and_takes_a_data_folder(self, command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "cli", command, "--help"], capture_output=True, text=True, check=True
        )
        examples = done.stdout.partition("Examples:\n")[2].splitlines()
        assert examples
        assert all(f"hotline {command}" in line or not line.strip() for line in examples)
        assert "--data" in done.stdout or command == "version"
        assert done.stderr == ""

    def test_help_loads_nothing_heavy(self) -> None:
        loaded = loaded_by("import cli.main; cli.main.run(['--help'])")
        assert "cli.main" in loaded
        assert loaded.isdisjoint({*HEAVY, "rich"})

    def test_a_question_for_figures_loads_no_frames_and_no_clients(self) -> None:
        loaded = loaded_by("import cli.main, cli.reader, deploy.stack.joining, hotline.queries, hotline.settings")
        assert "hotline.queries.results" in loaded
        assert loaded.isdisjoint(HEAVY)

    def test_the_web_board_loads_no_frames(self) -> None:
        """It runs as long as the stack does: half of its memory would be theirs."""
        loaded = loaded_by("import dashboards.web.__main__")
        assert "dashboards.web.server" in loaded
        assert loaded.isdisjoint({"numpy", "polars", "pyarrow", "kafka", "xlsxwriter", "vl_convert"})

    def test_the_shell_can_complete_commands(self) -> None:
        words = {"_HOTLINE_COMPLETE": "complete_bash", "COMP_WORDS": "hotline st", "COMP_CWORD": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "cli"], env={**os.environ, **words}, capture_output=True, text=True, check=False
        )
        assert done.stdout.split() == ["status"]

    def test_the_version_is_one_line_a_package(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "version", "--json"], capture_output=True, text=True, check=True
        )
        assert {"hotline", "python", "chdb", "faust-streaming"} <= set(json.loads(done.stdout))
