"""Changes rules in style sheets that only browsers support so that paper shows the same.

WeasyPrint ignores the rules it does not know, and what is left of them can hide words: letters cut out of a
colour (``background-clip: text``) become the colour without letters.  Pure.
"""

from __future__ import annotations

import re

from appliance.documents.typeset.conditions import decided

# The declarations of one rule; of rules that contain rules, each inner one.
_RULE = re.compile(r"\{([^{}]{1,20000})\}")
# A browser shows the background only within the letters, which are transparent (CSS Backgrounds 4, 2.2).
_CUT_OUT = re.compile(r"background(?:-clip)?\s*:[^;{}]{0,500}\btext\b", re.IGNORECASE)
# Transparent letters of which only the shadow is visible.
_CLEAR = re.compile(
    r"(?<![\w-])color\s*:\s*(?:transparent|rgba\([^)]{0,40},\s*0(?:\.0+)?\s*\))", re.IGNORECASE
)
_SHADOW = re.compile(r"text-shadow\s*:\s*(?!none)[^;{}]", re.IGNORECASE)
# Elements that are invisible until they move into view (CSS Animations 1).
_MOVES_IN = re.compile(r"(?<![\w])animation(?:-name)?\s*:\s*(?!none)[^;{}]", re.IGNORECASE)
_BEGINS_UNSEEN = re.compile(
    r"(?<![\w-])(?:opacity\s*:\s*0?\.?0+(?![\d.])|visibility\s*:\s*hidden)", re.IGNORECASE
)
# A choice of pictures for several resolutions (CSS Images 4, 2.4): its first one.
_CHOICE = re.compile(
    r"(?:-webkit-)?image-set\(\s*(?:url\(\s*)?([\"']?)([^\"'()\s]{1,200000}+)\1\s*\)?(?:[^()]|\([^()]*\)){0,500}+\)",
    re.IGNORECASE,
)
# Conic gradients (CSS Images 4, 3.3), and an address that replaces them: a request for it shows that one
# should have been drawn, which a rule that is ignored does not.
_PIE = re.compile(
    r"(?:repeating-)?conic-gradient\((?:[^()]|\((?:[^()]|\([^()]*\))*+\)){0,2000}+\)", re.IGNORECASE
)
PIE = "x-colours-around-a-centre"
_WORTH_A_LOOK = re.compile(r"image-set|animation|background|text-shadow", re.IGNORECASE)


def for_paper(sheet: str) -> str:
    """A style sheet with its rules as paper can show them."""
    sheet = decided(sheet)
    if not _WORTH_A_LOOK.search(sheet):
        return sheet
    return _RULE.sub(lambda rule: f"{{{declared(rule[1])}}}", sheet)


def declared(style: str) -> str:
    """The declarations of one rule, or of an element's ``style``, as paper can show them."""
    if not _WORTH_A_LOOK.search(style):
        return style
    more = ""
    if _CUT_OUT.search(style):
        more += ";background:none!important;color:#000!important"
    elif _CLEAR.search(style) and _SHADOW.search(style):
        more += ";color:#000!important"
    if _MOVES_IN.search(style) and _BEGINS_UNSEEN.search(style):
        more += ";opacity:1!important;visibility:visible!important;transform:none!important"
    return _PIE.sub(f'url("{PIE}:")', _CHOICE.sub(r'url("\2")', style)) + more
