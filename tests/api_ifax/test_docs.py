"""Every transcript in docs/api-ifax.md matches a real box, and every call is documented."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

import pytest

from appliance.api.ifax.codes import MESSAGES
from appliance.api.ifax.webhook import signature
from tests.api.test_docs import shell_on_box
from tests.api.transcripts import follow, steps

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api-ifax.md").read_text(encoding="utf-8")
CALLS = (
    "fax-send",
    "fax-status",
    "fax-cancel",
    "fax-resend",
    "inbound/fax-list",
    "inbound/fax-list-all",
    "inbound/fax-download",
    "inbound/number-list",
)


def test_every_transcript_is_true(tmp_path: Path) -> None:
    with shell_on_box(tmp_path) as shell:
        follow(DOCUMENT, shell)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_has_a_transcript(call: str) -> None:
    assert any(f"/v1/customer/{call} " in step.command for step in steps(DOCUMENT))


def test_the_table_of_codes_is_complete() -> None:
    for code, message in MESSAGES.items():
        assert f"| {int(code)} | {message} |" in DOCUMENT


def test_the_signature_check_that_is_printed_works() -> None:
    example = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example is not None
    names: dict[str, object] = {}
    exec(example[1], names)
    is_genuine = names["is_genuine"]
    body = b'{"event": "fax.completed"}'
    assert callable(is_genuine)
    assert is_genuine(body, signature("secret", body), "secret")
    assert not is_genuine(body + b" ", signature("secret", body), "secret")
    assert signature("secret", body) == hmac.new(b"secret", body, hashlib.sha256).hexdigest()
