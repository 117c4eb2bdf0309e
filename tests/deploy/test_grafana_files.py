"""What a Grafana is provisioned by: each file is clean, and says what the boards and the push say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec
import pytest
import yaml

from dashboards.generated import FOLDER
from dashboards.grafana.folders import PLACES
from dashboards.query import DATASOURCE_UID, PLUGIN
from dashboards.words import Lang
from hotline.names import DATABASE

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
SOURCES = GRAFANA / "provisioning" / "datasources" / "hotline.yaml"
PROVIDERS = GRAFANA / "provisioning" / "dashboards" / "hotline.yaml"
FILES = sorted(GRAFANA.rglob("*.yaml"))
VARIABLE = re.compile(r"\$([A-Z_]+)")


class Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A misspelt key is an error."""


class JsonData(Strict):
    protocol: Literal["http", "native"]
    host: str
    port: str
    secure: str
    username: str
    default_database: str
    dial_timeout: str
    query_timeout: str


class SecureJsonData(Strict):
    password: str


class Source(Strict):
    name: str
    uid: str
    type: str
    access: Literal["proxy"]
    editable: bool
    json_data: JsonData
    secure_json_data: SecureJsonData


class Sources(Strict):
    api_version: Literal[1]
    datasources: list[Source]


class Options(Strict):
    path: str


class Provider(Strict):
    name: str
    type: Literal["file"]
    folder: str
    folder_uid: str
    update_interval_seconds: int
    allow_ui_updates: bool
    disable_deletion: bool
    options: Options


class Providers(Strict):
    api_version: Literal[1]
    providers: list[Provider]


def source() -> Source:
    (found,) = msgspec.yaml.decode(SOURCES.read_bytes(), type=Sources).datasources
    return found


def providers() -> list[Provider]:
    return msgspec.yaml.decode(PROVIDERS.read_bytes(), type=Providers).providers


def keys_twice(node: yaml.Node) -> list[str]:
    """Keys that stand twice in one mapping, of which a reader takes the last without a word."""
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        return [name for name in names if names.count(name) > 1] + [x for _, v in node.value for x in keys_twice(v)]
    return [x for each in node.value for x in keys_twice(each)] if isinstance(node, yaml.SequenceNode) else []


def test_these_are_the_files() -> None:
    assert FILES == [PROVIDERS, SOURCES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_file_is_clean_yaml(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not re.search(r"\t|[ ]+$|\r", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 120
    assert keys_twice(yaml.compose(text)) == []


def test_the_source_is_the_one_that_every_board_names() -> None:
    found = source()
    assert (found.uid, found.type, found.json_data.default_database) == (DATASOURCE_UID, PLUGIN, DATABASE)
    named = {
        uid for file in FOLDER.rglob("*.json") for uid in re.findall(r'"uid": "([^"]*-clickhouse)"', file.read_text())
    }
    assert named == {found.uid}


def test_nothing_that_differs_between_places_or_is_secret_stands_in_a_file() -> None:
    """Each is a variable of Grafana's environment, and the file and the page name them all."""
    data = source().json_data
    given = [data.host, data.port, data.secure, data.username, source().secure_json_data.password]
    names = [found[1] for value in given if (found := VARIABLE.fullmatch(value))]
    assert len(names) == len(given) == len(set(names))
    assert set(VARIABLE.findall(SOURCES.read_text())) == set(names)
    comment = "\n".join(line for line in SOURCES.read_text().splitlines() if line.startswith("#"))
    page = (GRAFANA / "README.md").read_text()
    assert [name for name in names if name not in comment or name not in page] == []


def test_the_source_cannot_be_edited_and_is_nobodys_default() -> None:
    """A second default in one organisation keeps Grafana from starting."""
    assert source().editable is False
    assert "isDefault" not in SOURCES.read_text()


def test_boards_by_file_stand_where_a_push_puts_them_and_have_no_other_owner() -> None:
    found = providers()
    assert [(each.folder_uid, each.folder) for each in found] == [PLACES[lang] for lang in Lang]
    assert {each.allow_ui_updates for each in found} == {False}
    assert {each.update_interval_seconds for each in found} == {30}, (
        "ten or less watches files, which mounts do not tell"
    )
    assert len({each.name for each in found}) == len(found)


def test_boards_by_file_are_read_from_the_folders_that_an_export_writes() -> None:
    assert [Path(each.options.path).name for each in providers()] == [str(lang) for lang in Lang]
    assert {Path(each.options.path).parent for each in providers()} == {Path("/etc/grafana/hotline")}
    assert "/etc/grafana/hotline`" in (GRAFANA / "README.md").read_text()
