"""The preview of an import, which changes nothing."""

from __future__ import annotations

from appliance.phonebook import Contact, ContactGroup
from appliance.phonebook.cards import Card
from appliance.phonebook.merging import (
    IN_FILE_TWICE,
    NO_NUMBER,
    SHORTENED,
    Alike,
    Book,
    Change,
    Fate,
    ImportPlan,
)

BOOK = {
    1: Contact("+49 30 1234", "Ada", "Lovelace", email="old@example.com"),
    2: Contact("0305678", "Bob", "Babbage", owner="bob"),
    3: Contact("99", "", "", ""),
}
GROUPS = {1: ContactGroup("Doctors", (1,)), 2: ContactGroup("Doctors", (2,), owner="bob")}


def _read(written: str) -> tuple[str, str]:
    """Berlin's numbers."""
    digits = "".join(letter for letter in written if letter in "+0123456789")
    if not digits:
        return "", "It is no number."
    return (digits if digits[0] in "+9" else "+49" + digits[1:]), ""


def _plan(*cards: Card, owner: str = "", admin: bool = True) -> ImportPlan:
    book = Book(
        BOOK,
        GROUPS,
        owner=owner,
        may_write=lambda whose: admin or (whose != "" and whose == owner),
        read=_read,
    )
    return book.plan(cards)


def _fates(plan: ImportPlan) -> list[Fate]:
    return [step.fate for step in plan.steps]


def test_the_same_number_in_another_spelling_is_the_same_contact() -> None:
    plan = _plan(Card(2, "030/1234", "ada", "LOVELACE", company="Engines"))
    (step,) = plan.steps
    assert (step.fate, step.contact_id) == (Fate.CHANGED, 1)
    assert step.changes == (
        Change("first_name", "Ada", "ada"),
        Change("last_name", "Lovelace", "LOVELACE"),
        Change("company", "", "Engines"),
    )
    # The number stays as it is written in the book, and what the file leaves empty stays, too.
    assert (step.contact.number, step.contact.email) == ("+49 30 1234", "old@example.com")


def test_what_the_book_has_already_is_the_same() -> None:
    assert _fates(_plan(Card(2, "0049301234".replace("0049", "+49"), "Ada", "Lovelace"))) == [Fate.SAME]


def test_a_name_of_two_lines_is_the_one_that_the_book_has_of_it() -> None:
    card = Card(2, "+49 30 1234", "Ada", "Love\nlace\u202e", groups=("Doctors\n",))
    (step,) = _plan(card).steps
    assert (step.contact.last_name, step.groups) == ("Love lace", ("Doctors",))
    (step,) = _plan(Card(2, "+49 30 1234", "Ada", " Lovelace\n")).steps
    assert step.fate is Fate.SAME


def test_another_name_with_the_same_number_and_another_number_with_the_same_name_are_duplicates() -> None:
    plan = _plan(Card(2, "030 1234", "Eve", "Else"), Card(3, "030 77", "Ada", "Lovelace"))
    assert _fates(plan) == [Fate.DUPLICATE, Fate.DUPLICATE]
    assert [(step.others[0].alike, step.others[0].contact_id) for step in plan.steps] == [
        (Alike.NUMBER, 1),
        (Alike.NAME, 1),
    ]
    assert plan.chosen(None) == ()
    assert [step.line for step in plan.chosen({3})] == [3]


def test_whoever_is_nameless_gets_a_name() -> None:
    assert _fates(_plan(Card(2, "99", "Eve", "Else"))) == [Fate.CHANGED]


def test_duplicates_within_the_file_are_found() -> None:
    plan = _plan(
        Card(2, "030 1", "A", "B"),
        Card(3, "+49301", "a", "b"),
        Card(4, "0301", "C"),
        Card(5, "0302", "A", "B"),
    )
    assert _fates(plan) == [Fate.NEW, Fate.REFUSED, Fate.DUPLICATE, Fate.DUPLICATE]
    assert plan.steps[1].reason == IN_FILE_TWICE
    assert [step.others[0].line for step in plan.steps[1:]] == [2, 2, 2]


def test_what_cannot_be_taken_is_refused_with_its_line_and_reason() -> None:
    plan = _plan(
        Card(2), Card(7, "none at all"), Card(8, "4,93012E+11"), Card(9, "0301", last_name="x" * 101)
    )
    assert [(step.line, step.fate, step.reason) for step in plan.steps] == [
        (2, Fate.REFUSED, NO_NUMBER),
        (7, Fate.REFUSED, "It is no number."),
        (8, Fate.REFUSED, SHORTENED),
        (9, Fate.REFUSED, "at most 100 characters"),
    ]
    assert plan.chosen({2, 7, 9}) == ()


def test_a_member_changes_only_what_is_theirs_and_learns_of_nobody_elses() -> None:
    plan = _plan(
        Card(2, "0301234", "Ada", "Lovelace", company="Mine"),
        Card(3, "0305678", "Bob", "Babbage", company="Mine"),
        owner="carol",
        admin=False,
    )
    # Everyone's entry is not hers to change; of Bob's own she sees nothing.
    assert _fates(plan) == [Fate.DUPLICATE, Fate.NEW]
    plan = _plan(Card(3, "0305678", email="bob@example.com"), owner="bob", admin=False)
    assert (plan.steps[0].fate, plan.steps[0].contact_id) == (Fate.CHANGED, 2)


def test_joining_a_group_is_a_change_and_no_group_is_left() -> None:
    assert _fates(_plan(Card(2, "0301234", "Ada", "Lovelace", groups=("Doctors",)))) == [Fate.SAME]
    (step,) = _plan(Card(2, "0301234", "Ada", "Lovelace", groups=("Doctors", "New"))).steps
    assert (step.fate, step.groups) == (Fate.CHANGED, ("New",))
