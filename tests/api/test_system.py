"""Health, figures for monitoring, the table of causes, OpenAPI."""

from __future__ import annotations

import json
import re
from pathlib import Path

from openapi_spec_validator import validate
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict_families
from prometheus_client.parser import text_string_to_metric_families

from appliance.api.rest.openapi import describe_all
from appliance.api.rest.table import ROUTES
from appliance.causes import all_causes
from appliance.spool.settings import StorageSettings
from tests.api.served import Served


def test_the_state_of_a_line_is_told_in_the_readers_language(served: Served) -> None:
    (line,) = served.ask("GET", "/lines", headers={"Accept-Language": "de"}).json["lines"]
    assert line["sentence"].startswith("Die Übungsleitung ist bereit")
    (line,) = served.ask("GET", "/lines").json["lines"]
    assert line["sentence"].startswith("The practice line is ready")


def test_the_openapi_document_is_valid_and_names_each_call_once() -> None:
    validate(describe_all(ROUTES))
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_only_a_few_calls_are_open_and_none_of_them_tells_a_secret(served: Served) -> None:
    opened = {(route.method, route.path) for route in ROUTES if route.open}
    assert opened == {
        ("GET", "/health"),
        ("GET", "/causes"),
        ("GET", "/causes/{code}"),
        ("POST", "/sessions"),
        ("POST", "/setup"),
    }
    health = served.ask("GET", "/health", token="")
    assert (health.status, health.json) == (200, {"status": "ok", "accepting": True})


def test_every_call_that_is_not_open_answers_401_without_a_key(served: Served) -> None:
    for route in ROUTES:
        if not route.open:
            path = route.path.replace("{id}", "1").replace("{page}", "1").replace("{number}", "1")
            reply = served.ask(route.method, path.replace("{destination}", "1"), token="")
            assert (reply.status, reply.json["code"]) == (401, "not_signed_in"), route.name


def test_a_full_disk_is_told_before_anything_is_taken(served: Served) -> None:
    store = served.box.settings
    free_mb = served.box.guard.free() // 1_000_000
    store.change(StorageSettings, {"reserve_mb": free_mb + 1_000_000})
    try:
        health = served.ask("GET", "/health", token="")
        assert (health.status, health.json["accepting"]) == (503, False)
        assert (health.json["status"], health.json["problem"]["code"]) == ("failing", "storage_full")
        refused = served.form("/faxes", [("to", "9990")], [("a.txt", b"one")])
        assert (refused.status, refused.json["code"]) == (507, "storage_full")
        assert served.ask("GET", "/status").json["disk"]["room"] == "full"
    finally:
        store.change(StorageSettings, {"reserve_mb": 200})


def test_prometheus_reads_the_figures(served: Served) -> None:
    fax = served.form("/faxes", [("to", "9990")], [("a.txt", b"one")]).json["faxes"][0]
    served.ended(fax["id"])
    reply = served.ask("GET", "/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain")
    found = {
        (sample.name, sample.labels.get("state", sample.labels.get("line", ""))): sample.value
        for family in text_string_to_metric_families(reply.content.decode())
        for sample in family.samples
    }
    assert found["faxbox_up", ""] == 1
    assert found["faxbox_jobs_ended", "delivered"] == 1
    assert found["faxbox_pages_today", ""] == 1
    assert found["faxbox_line_usable", "practice"] == 1
    asked = {"Accept": "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"}
    strict = served.ask("GET", "/metrics", headers=asked)
    assert strict.headers["Content-Type"].startswith("application/openmetrics-text")
    counters = {
        (sample.name, sample.labels.get("line"), sample.labels.get("code")): sample.value
        for family in strict_families(strict.content.decode())
        for sample in family.samples
    }
    for name in ("faxes_ended", "calls_ended", "pages_sent"):
        assert counters[f"faxbox_{name}_total", "practice", "delivered"] >= 1, name


DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"


def test_every_query_of_the_dashboard_is_of_figures_and_labels_that_the_box_has(served: Served) -> None:
    served.ended(served.form("/faxes", [("to", "9990")], [("a.txt", b"one")]).json["faxes"][0]["id"])
    labels: dict[str, set[str]] = {}
    text = served.ask("GET", "/metrics").content.decode()
    for family in text_string_to_metric_families(text):
        # A figure of which nothing has happened yet has no sample: its name is there all the same.
        labels.setdefault(family.name + ("_total" if family.type == "counter" else ""), set())
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [(target["expr"], target["legendFormat"]) for panel in panels for target in panel["targets"]]
    assert len(queries) > len(panels)
    for query, legend in queries:
        names = re.findall(r"faxbox_\w+", query)
        assert names, query
        for name in names:
            assert name in labels, query
        asked = {*re.findall(r"by \((\w+)\)", query), *re.findall(r"(\w+)=", query)}
        asked |= set(re.findall(r"\{\{(\w+)\}\}", legend))
        for name in names:
            assert not labels[name] or asked <= labels[name], (query, labels[name])


def test_the_table_of_causes_is_there_for_everybody(served: Served) -> None:
    listed = served.ask("GET", "/causes", token="").json["causes"]
    assert [row["code"] for row in listed] == [cause.code for cause in all_causes()]
    assert served.ask("GET", "/causes/busy", token="").json["retry"] == "soon"
    assert served.ask("GET", "/causes/nothing", token="").status == 404


def test_a_wrong_method_names_the_right_ones(served: Served) -> None:
    reply = served.ask("PUT", "/faxes")
    assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, POST"
    assert served.ask("PUT", "/faxes/1/cancel").headers["Allow"] == "POST"


def test_a_condition_that_cannot_be_met_keeps_the_change_from_being_made(served: Served) -> None:
    made = served.ask("POST", "/contacts", {"number": "+493077", "company": "Engines"}).json["id"]
    change = {"company": "Looms"}
    reply = served.ask("PATCH", f"/contacts/{made}", change, headers={"If-Match": '"abc"'})
    assert (reply.status, reply.json["code"]) == (412, "condition_not_met")
    assert served.ask("GET", f"/contacts/{made}").json["company"] == "Engines"
    assert served.ask("PATCH", f"/contacts/{made}", change, headers={"If-Match": "*"}).status == 200
    served.ask("DELETE", f"/contacts/{made}")


def test_head_answers_like_get_without_content(served: Served) -> None:
    reply = served.ask("HEAD", "/health", token="")
    assert (reply.status, reply.content) == (200, b"")


def test_paths_beyond_the_interface_are_not_found(served: Served) -> None:
    for path in (
        "/",
        "/nothing",
        "/faxes/1.0",
        "/faxes/x",
        "/faxes/-1",
        "/faxes/99999999999999999999",
        "//",
        "/faxes/%00",
        "/causes/%ff",
        "/causes/..%2f..",
        "/destinations/",
    ):
        assert served.ask("GET", path).status in (400, 404), path
