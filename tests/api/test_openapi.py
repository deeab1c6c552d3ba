"""What client generators use in the OpenAPI document: names of operations, examples."""

from __future__ import annotations

import json
import re

from appliance.api.rest.checking import Checker
from appliance.api.rest.examples import EXAMPLES
from appliance.api.rest.openapi import describe_all
from appliance.api.rest.table import ROUTES


def test_operations_have_names_of_their_own_that_read_as_words() -> None:
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name)] == []
    assert [name for name in names if re.search(r"ss$", name)] == [], "no plural of a plural"


def test_each_json_body_has_an_example_that_the_box_takes() -> None:
    paths = describe_all(ROUTES)["paths"]
    for route in ROUTES:
        if route.body is None:
            continue
        content = paths[route.path][route.method.lower()]["requestBody"]["content"]["application/json"]
        assert "example" in content, route.name
        assert Checker(route.body).flaws(content["example"]) == [], route.name
    assert set(EXAMPLES) <= {route.name for route in ROUTES}


def test_no_schema_has_a_default_which_generated_clients_would_send_with_every_change() -> None:
    document = describe_all(ROUTES)
    assert '"default":' not in json.dumps(document["components"])
    requests = [at for path in document["paths"].values() for at in path.values() if "requestBody" in at]
    assert requests
    assert '"default":' not in json.dumps([at["requestBody"] for at in requests])
