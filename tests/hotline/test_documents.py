"""Generated documents: fresh, whole, and valid in their own terms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hotline import blocks, names
from hotline.catalogue import CUTOFFS, KPIS, scope_kinds
from hotline.dead_letters import REASONS
from hotline.documents import DOCUMENTS, stale, write
from hotline.documents.__main__ import main
from hotline.documents.field_docs import field_docs
from hotline.documents.report_names import our_type
from hotline.events import WORDS, CallAnswered
from hotline.measured import Measured
from hotline.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
ASYNCAPI = json.loads(DOCUMENTS["schemas/asyncapi.json"]())
EVENTS = json.loads(DOCUMENTS["schemas/events.json"]())
TYPES = [kind for subject in SUBJECTS.values() for kind in subject.types]

REPORT_NAMES = (
    "call.queued",
    "call.answered",
    "call.abandoned",
    "call.ended",
    "request.created",
    "request.created(service=move_car)",
    "request.classified",
    "request.answered_online",
    "request.dispatched",
    "request.due_changed",
    "request.completed",
    "request.reopened",
    "survey.asked",
    "survey.rated",
    "survey.rated(resolved)",
)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


def resolved(document: Any, reference: str) -> Any:
    place = document
    for step in reference.removeprefix("#/").split("/"):
        place = place[step.replace("~1", "/").replace("~0", "~")]
    return place


def test_the_committed_documents_say_what_the_code_says() -> None:
    assert stale(DOCS) == [], "run python -m hotline.documents"


def test_only_stale_documents_are_written_and_a_check_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write(tmp_path) == list(DOCUMENTS)
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "kpis.md").write_text("of yesterday")
    assert main(["--check", str(tmp_path)]) == 1
    assert "kpis.md" in capsys.readouterr().out
    assert write(tmp_path) == ["kpis.md"]


@pytest.mark.parametrize("document", [ASYNCAPI, EVENTS], ids=["asyncapi", "events"])
def test_every_reference_leads_somewhere(document: Any) -> None:
    found = list(references(document))
    assert found
    for reference in found:
        if reference.endswith(".json"):  # another document beside it
            assert f"schemas/{reference}" in DOCUMENTS
            continue
        assert reference.startswith("#/")
        assert resolved(document, reference)


def test_asyncapi_has_a_channel_for_every_topic_of_the_pipeline() -> None:
    topics = {names.INTAKE_TOPIC, *names.EVENTS_TOPICS.values(), *names.MEASURED_TOPICS.values(), *names.KEPT_TOPICS}
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(ASYNCAPI["info"])
    assert sorted(channel["address"] for channel in ASYNCAPI["channels"].values()) == sorted(topics)


def test_asyncapi_operations_use_messages_of_their_own_channel() -> None:
    assert len(ASYNCAPI["operations"]) == len(ASYNCAPI["channels"])
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert operation["messages"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_every_message_has_its_headers_and_a_payload() -> None:
    for message in ASYNCAPI["components"]["messages"].values():
        if message["contentType"] == "application/json":  # anybody may send it, with any header or none
            assert "headers" not in message
            continue
        headers = message["headers"]
        assert headers["properties"][names.CONTENT_TYPE]["const"] == message["contentType"]
        assert set(headers["required"]) == set(headers["properties"])
        payload = message["payload"]
        assert "$ref" in payload or {"schemaFormat", "schema"} == set(payload)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
def test_a_block_message_lists_the_columns_of_a_block(subject: Any) -> None:
    message = ASYNCAPI["components"]["messages"][f"{subject.name}Block"]
    assert [field["name"] for field in message["payload"]["schema"]["fields"]] == list(blocks.columns(subject))


def test_the_measured_record_is_described_field_by_field() -> None:
    assert set(ASYNCAPI["components"]["schemas"]["Measured"]["properties"]) == set(Measured.__struct_fields__)


def test_the_event_schema_takes_every_type_there_is() -> None:
    assert EVENTS["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(EVENTS["discriminator"]["mapping"]) == TYPES
    for event in (event for subject in SUBJECTS.values() for event in subject.events):
        definition = EVENTS["$defs"][event.__name__]
        assert set(definition["properties"]) == {"type", *event.__struct_fields__}
        assert {"type", "source", "entity", "born_at", "occurred_at"} <= set(definition["required"])


def test_the_page_of_kpis_has_each_kpi_with_its_words_and_conditions() -> None:
    page = DOCUMENTS["kpis.md"]()
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |^## |\Z)", page, re.MULTILINE | re.DOTALL))
    assert sorted(sections) == sorted([*KPIS, *CUTOFFS])
    for kpi in (*KPIS.values(), *CUTOFFS.values()):
        section = sections[kpi.name]
        for words in (kpi.name_zh, kpi.formula, kpi.formula_zh, kpi.unit.label, kpi.published_as, kpi.source):
            assert words in section
        for measure in kpi.measures[1:] if kpi.cutoff else kpi.measures:
            assert measure.sql_where in section
            assert measure.at.name in section
        if kpi.cutoff:
            assert f"`{kpi.cutoff.reached}` that stands then is not followed by `{kpi.cutoff.undone}`" in section
        kept = [kind for kind in scope_kinds(kpi.subject) if kpi.grain(kind) is not None]
        assert kpi.measures == () or all(f"{kind} " in section for kind in kept)


def test_the_page_of_events_has_every_type_field_word_and_reason() -> None:
    page = DOCUMENTS["events.md"]()
    fields = {name for subject in SUBJECTS.values() for event in subject.events for name in event.__struct_fields__}
    words = {word for known in WORDS.values() for word in known}
    assert len(TYPES) == page.count("\n### ")
    for name in {*TYPES, *fields, *words, *REASONS}:
        assert f"`{name}`" in page


def test_words_about_a_field_come_from_below_the_field_inherited_ones_too() -> None:
    assert field_docs(CallAnswered)["wait_s"].startswith("Seconds waited before the answer")
    assert "occurred_at" not in field_docs(CallAnswered)


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_each_name_that_the_annual_report_gives_to_calls_tickets_and_surveys_is_a_type_of_ours(name: str) -> None:
    assert our_type(name) in TYPES


def test_names_of_other_sub_systems_stay_as_they_are() -> None:
    assert our_type("forum.visit") == "forum.visit"
    assert our_type("link110.completed") == "link110.completed"
