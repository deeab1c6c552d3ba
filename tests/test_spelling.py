"""Names are found and sorted however their letters are written."""

from __future__ import annotations

import unicodedata

import pytest

from appliance.spelling import finder, plain


@pytest.mark.parametrize("name", ["Jürgen Müller", unicodedata.normalize("NFD", "Jürgen Müller")])
@pytest.mark.parametrize("asked", ["müller", "MÜLLER", "muller", "Mueller", "jurgen müll", "müller juergen"])
def test_a_name_with_an_umlaut_is_found_with_it_without_it_and_in_two_letters(name: str, asked: str) -> None:
    assert finder(asked.split())(name)


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("Mueller", "müller", True),
        ("Straße", "STRASSE", True),
        ("Gross", "groß", True),
        ("Émile Dvořák", "emile dvorak", True),
        ("محمد الأحمد", "محمد", True),
        ("שרה כהן", "כהן", True),
        ("Muller", "mueller", False),
        ("Müller", "möller", False),
        ("Müller", "müller x", False),
        ("", "a", False),
        ("Müller", "", True),
    ],
)
def test_other_letters_are_other_names(name: str, asked: str, found: bool) -> None:
    assert finder(asked.split())(name) is found


def test_names_are_sorted_as_in_a_phone_book() -> None:
    names = ["Zabel", "Özdemir", "apfel", "Ostermann", "Äpfel", "Groß", "Grosse"]
    assert sorted(names, key=plain) == ["apfel", "Äpfel", "Groß", "Grosse", "Ostermann", "Özdemir", "Zabel"]
