"""Hostile HTML, before Python's parser gets it."""

from __future__ import annotations

import itertools
import time
from html.parser import HTMLParser

import pytest

from appliance.documents.text.hypertext import whole_tags

# Python's parser alone takes minutes for some of these; this bound is only for such hangs.
HANG_S = 60.0
LENGTH = 15_000
PIECES = (
    "<",
    "<!",
    "<!--",
    "-->",
    "<![CDATA[",
    "</",
    "</a",
    "<a ",
    "<a",
    "<a b=",
    "<a b='",
    '<a b="',
    "<a b='>",
    "'",
    '"',
    ">",
    "=",
    "/",
    "<?",
    "&#",
    "&",
    "<script>",
    "</scrip",
    "<title>",
    "<!doctype ",
    " a",
    "\0",
)


@pytest.mark.parametrize(
    ("page", "whole"),
    [
        ("<p align=left>a</p>", "<p align=left>a</p>"),
        ('<img src="data:,x\'y"/>', '<img src="data:,x\'y"/>'),
        ("1 < 2 <3 <", "1 &lt; 2 &lt;3 &lt;"),
        ("a<!-- <p> -->b<!---->c", "abc"),
        ("a<!-- never ends <p>b", "a&lt;!-- never ends <p>b"),
        ("<!DOCTYPE html><?xml?><![if !mso]>x<![endif]>", "x"),
        ("<p title=it's>x", "<p>x"),
        ('</a "x>y', "</a>y"),
        ("<p <b>x", "&lt;p <b>x"),
        ("<o:p>x</o:p>", "<o:p>x</o:p>"),
    ],
)
def test_only_whole_tags_are_left(page: str, whole: str) -> None:
    assert whole_tags(page) == whole


def test_pages_without_an_end_to_anything_are_read_to_their_end() -> None:
    began = time.process_time()
    for first, second in itertools.product(PIECES, PIECES):
        unit = first + second
        parser = HTMLParser()
        parser.feed(whole_tags(unit * (LENGTH // len(unit))))
        parser.close()
        assert time.process_time() - began < HANG_S, f"{unit!r} again and again"
