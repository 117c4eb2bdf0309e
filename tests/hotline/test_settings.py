"""Settings come from where the order says, and whatever cannot be used is named with its remedy."""

import multiprocessing
import stat
from pathlib import Path

import msgspec
import pytest

from hotline.settings import (
    Settings,
    SettingsError,
    doc,
    environment,
    fix,
    load,
    password,
    pseudonym_key,
    unknown_variables,
)

NAMES = [field.name for field in msgspec.structs.fields(Settings)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the current folder, empty; the data folder is `data` in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(data: Path | str | None = None, **environ: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(data, environ)
    return str(refused.value)


class TestOrder:
    def test_without_anything_the_defaults_hold(self, here: Path) -> None:
        settings, origins = load(environ={})
        assert (settings.data, settings.zone, settings.partitions, settings.broker) == (
            here / ".hotline",
            "Asia/Shanghai",
            2,
            "embedded",
        )
        assert origins == dict.fromkeys(NAMES, "default")

    def test_the_environment_wins_over_the_folders_file_which_wins_over_the_current_folders(self, here: Path) -> None:
        (here / "data").mkdir()
        (here / "data" / "hotline.toml").write_text("partitions = 4\nworkers = 3\n")
        (here / "hotline.toml").write_text('data = "data"\npartitions = 8\nworkers = 2\ndeployment = 7\n')
        settings, origins = load(environ={"HOTLINE_PARTITIONS": "6"})
        assert (settings.partitions, settings.workers, settings.deployment) == (6, 3, 7)
        assert origins["partitions"] == "environment HOTLINE_PARTITIONS"
        assert origins["workers"] == str(here / "data" / "hotline.toml")
        assert origins["deployment"] == origins["data"] == str(here / "hotline.toml")

    def test_the_data_folder_is_the_given_one_before_the_environments_before_the_files(self, here: Path) -> None:
        (here / "hotline.toml").write_text('data = "of-file"\n')
        environ = {"HOTLINE_DATA": "of-environment"}
        assert load("given", environ)[0].data == here / "given"
        assert load(None, environ)[0].data == here / "of-environment"
        assert load(None, {})[0].data == here / "of-file"

    def test_an_empty_variable_counts_as_absent(self) -> None:
        assert load(environ={"HOTLINE_ZONE": "", "HOTLINE_DATA": ""}) == load(environ={})

    def test_a_child_process_reads_exactly_the_same_settings(self, here: Path) -> None:
        (here / "hotline.toml").write_text('partitions = 5\nclickhouse_writer_password_file = "secret.txt"\n')
        settings, _ = load("data", {"HOTLINE_ZONE": "Europe/Berlin"})
        (here / "hotline.toml").write_text("partitions = 3\n")
        assert load(environ=environment(settings))[0] == settings
        assert settings.clickhouse_writer_password_file == str(here / "secret.txt")

    def test_every_setting_is_described_in_one_line(self) -> None:
        for name in NAMES:
            assert doc(name).endswith(".")
            assert "\n" not in doc(name)

    def test_whoever_chooses_a_broker_reads_there_what_dies_with_the_embedded_one(self) -> None:
        assert "embedded, which keeps its log in memory, so that what is not yet stored dies with it" in doc("broker")
        assert "kafka, Apache Kafka, which keeps what it acknowledged" in doc("broker")


class TestRefusals:
    def test_an_unknown_key_is_named_with_the_nearest(self, here: Path) -> None:
        (here / "hotline.toml").write_text("partitons = 2\n")
        told = refusal()
        assert told.startswith(f"unknown setting partitons in {here / 'hotline.toml'}")
        assert "partitions" in told

    @pytest.mark.parametrize(
        ("name", "value", "wanted"),
        [
            ("partitions", "two", "a whole number from 1 to 1024"),
            ("partitions", "0", "a whole number from 1 to 1024"),
            ("deployment", "1.5", "a whole number from 1 on"),
            ("broker", "rabbit", "embedded or kafka"),
            ("engine_port", "70000", "a whole number from 0 to 65535"),
        ],
    )
    def test_a_wrong_value_is_named_with_its_origin_and_the_remedy(self, name: str, value: str, wanted: str) -> None:
        told = refusal(**{f"HOTLINE_{name.upper()}": value})
        assert told == (
            f"{name} is {value!r} (environment HOTLINE_{name.upper()}), but must be {wanted}: correct or remove it"
        )

    @pytest.mark.parametrize("text", ['partitions = "2"', "zone = 8", "data = 1", "partitions = true"])
    def test_a_file_must_use_the_right_type(self, here: Path, text: str) -> None:
        (here / "hotline.toml").write_text(text)
        assert "but must be" in refusal()

    def test_a_damaged_file_is_an_error_that_names_it(self, here: Path) -> None:
        (here / "hotline.toml").write_text("zone = \n")
        assert str(here / "hotline.toml") in refusal()

    def test_a_data_folder_cannot_name_another(self, here: Path) -> None:
        (here / "data").mkdir()
        (here / "data" / "hotline.toml").write_text('data = "elsewhere"\n')
        assert "remove it there" in refusal("data")

    def test_more_workers_than_partitions_is_an_error_that_names_both(self) -> None:
        told = refusal(HOTLINE_WORKERS="3")
        assert "workers is 3 (environment HOTLINE_WORKERS)" in told
        assert "2 partitions (default)" in told

    @pytest.mark.parametrize("door", ["8443", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000", "https://10.0.0.1:8443/"])
    def test_a_door_is_a_host_and_a_port(self, door: str) -> None:
        told = refusal(HOTLINE_DOOR=door, HOTLINE_DOOR_CERTIFICATE_FILE="c.pem", HOTLINE_DOOR_KEY_FILE="k.pem")
        assert told == f"door is {door!r} (environment HOTLINE_DOOR), but must be host:port, as 0.0.0.0:8443"

    def test_a_door_without_tls_is_refused(self) -> None:
        told = refusal(HOTLINE_DOOR="10.0.0.1:8443", HOTLINE_DOOR_CERTIFICATE_FILE="c.pem")
        assert "door_key_file is empty" in told
        assert "only with TLS" in told

    @pytest.mark.parametrize("url", ["http://u:secret-word@host:8123", "http://host:8123/?password=secret-word"])
    def test_a_url_with_a_password_is_refused_without_repeating_it(self, url: str) -> None:
        told = refusal(HOTLINE_CLICKHOUSE_URL=url)
        assert "clickhouse_writer_password_file" in told
        assert "secret-word" not in told

    def test_a_password_in_a_file_of_settings_is_refused_without_repeating_it(self, here: Path) -> None:
        (here / "hotline.toml").write_text('clickhouse_password = "secret-word"\n')
        told = refusal()
        assert "a file of its own" in told
        assert "secret-word" not in told

    @pytest.mark.parametrize("bootstrap", ["host", "kafka://host:1", "host:port", "a:1,b"])
    def test_a_bootstrap_that_is_no_address_is_refused(self, bootstrap: str) -> None:
        assert bootstrap in refusal(HOTLINE_BOOTSTRAP=bootstrap, HOTLINE_BROKER="kafka")

    def test_variables_that_are_no_settings_can_be_listed(self) -> None:
        assert unknown_variables({"HOTLINE_ZNE": "x", "HOTLINE_ZONE": "x", "HOME": "/"}) == ["HOTLINE_ZNE"]


class TestZone:
    def test_an_unknown_zone_is_named_with_the_nearest(self) -> None:
        told = refusal(HOTLINE_ZONE="Asia/Shanghia")
        assert "Asia/Shanghia" in told
        assert "Asia/Shanghai" in told
        assert "environment HOTLINE_ZONE" in told


OTHERS = pytest.mark.parametrize(
    ("name", "first", "second"), [("zone", "Europe/Berlin", "Asia/Tokyo"), ("partitions", 6, 8)]
)


class TestFixed:
    @OTHERS
    def test_a_first_start_fixes_it_and_another_value_is_refused_with_both(
        self, name: str, first: str | int, second: str | int
    ) -> None:
        variable = f"HOTLINE_{name.upper()}"
        fix(load("data", {variable: str(first)})[0])
        told = refusal("data", **{variable: str(second)})
        assert f"{name} is {second}, but" in told
        assert f"set {name} to {first}, or name another folder" in told

    @OTHERS
    def test_it_need_not_be_named_again(self, here: Path, name: str, first: str | int, second: str | int) -> None:
        fix(load("data", {f"HOTLINE_{name.upper()}": str(first)})[0])
        settings, origins = load("data", {})
        assert (getattr(settings, name), origins[name]) == (first, f"fixed in {here / 'data'}")
        assert first != second
        fix(settings)

    @OTHERS
    def test_of_two_first_starts_with_different_values_one_is_refused(
        self, name: str, first: str | int, second: str | int
    ) -> None:
        both = [load("data", {f"HOTLINE_{name.upper()}": str(value)})[0] for value in (first, second)]
        fix(both[0])
        with pytest.raises(SettingsError, match=rf"{name} is {second}.*{first} for ever"):
            fix(both[1])

    def test_a_folder_from_before_a_setting_was_fixed_fixes_it_at_its_next_start(self, here: Path) -> None:
        fix(load("data", {})[0])
        (here / "data" / "partitions").unlink()
        fix(load("data", {"HOTLINE_PARTITIONS": "4"})[0])
        assert load("data", {})[0].partitions == 4

    def test_a_damaged_file_is_named_and_not_guessed_at(self, here: Path) -> None:
        fix(load("data", {})[0])
        (here / "data" / "partitions").write_text("many\n")
        file = here / "data" / "partitions"
        assert refusal("data") == f"{file} says 'many', which is no partitions: put it back from a backup"


class TestSecrets:
    def test_a_password_is_read_from_its_file(self, here: Path) -> None:
        (here / "own.txt").write_text("word\n")
        (here / "own.txt").chmod(0o600)
        settings, _ = load("data", {"HOTLINE_CLICKHOUSE_READER_PASSWORD_FILE": "own.txt"})
        assert password(settings, "reader") == "word"
        with pytest.raises(SettingsError, match=r"no password of the writer in .*writer\.password"):
            password(settings, "writer")

    def test_a_password_that_others_can_read_is_refused(self) -> None:
        folder = load("data", {})[0].folder
        folder.make()
        file = folder.password_file("reader")
        file.write_text("word\n")
        file.chmod(0o644)
        with pytest.raises(SettingsError, match="chmod 600") as refused:
            password(load("data", {})[0], "reader")
        assert "word\n" not in str(refused.value)

    def test_the_key_of_pseudonyms_is_made_once_and_private(self, here: Path) -> None:
        key = pseudonym_key(here)
        file = here / "secrets" / "pseudonym.key"
        assert len(key) == 32
        assert pseudonym_key(here) == key == file.read_bytes()
        assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
        assert list(file.parent.iterdir()) == [file]

    def test_many_processes_at_once_agree_on_the_key(self, here: Path) -> None:
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            keys = pool.map(pseudonym_key, [here] * 16, chunksize=1)
        assert set(keys) == {pseudonym_key(here)}

    def test_a_damaged_key_is_never_made_again_by_itself(self, here: Path) -> None:
        pseudonym_key(here)
        (here / "secrets" / "pseudonym.key").write_bytes(b"short")
        with pytest.raises(ValueError, match="5 bytes, not 32: put the key back"):
            pseudonym_key(here)

    def test_a_key_that_is_gone_is_made_anew_with_a_warning_and_the_first_one_without(
        self, here: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings = load("data", {})[0]
        fix(settings)
        file = settings.folder.secrets / "pseudonym.key"
        first = file.read_bytes()
        assert (pseudonym_key(settings.data), caplog.messages) == (first, [])
        file.unlink()
        fix(settings)
        assert not file.exists()
        assert pseudonym_key(settings.data) == file.read_bytes() != first
        (told,) = caplog.messages
        assert f"{file} was gone, and another one was made" in told
        assert "put it back from a backup" in told
        pseudonym_key(settings.data)
        assert len(caplog.messages) == 1

    def test_the_folder_is_made_for_its_owner_alone(self) -> None:
        folder = load("data", {})[0].folder
        folder.make()
        folder.make()
        assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o700
