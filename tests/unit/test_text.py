"""Text that others wrote is one line, printable, bounded, and never a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.records.batches import RefusedRow
from selfheal.records.healing import Ending, Trigger, Verdict
from selfheal.records.labels import RejectedRow
from selfheal.records.ledger import GateResult, Switch
from selfheal.text import bounded, bounded_lines, listed, printable, spreadsheet_cell
from tests.support.healing import START

LENGTH = st.integers(min_value=60, max_value=200)


@given(st.text(max_size=400), LENGTH)
def test_bounded_text_is_one_printable_line_and_doing_it_again_changes_nothing(text: str, at_most: int):
    """Whatever comes in; so a record that is read and written again stays as it was."""
    shown = bounded(text, at_most)
    assert len(shown) <= at_most
    assert shown.isprintable()
    assert bounded(shown, at_most) == shown
    if len(text) <= at_most:
        assert shown == printable(text)


def test_cut_text_says_so_and_how_long_it_was():
    """The reader knows that there was more."""
    assert bounded("x" * 70_000, 60) == "x" * 27 + "… (cut, 70,000 characters in all)"
    assert bounded_lines("a\x1b[2J\nb" + "x" * 100, 60).startswith("a [2J\nbx")
    assert bounded_lines("a\nb" + "x" * 100, 60).endswith("… (cut, 103 characters in all)")


def test_control_characters_and_turned_writing_are_taken_out():
    """Neither a terminal's commands nor a mark that shows `exe.txt` as `txt.exe` gets through."""
    assert printable("a\x1b[31m\u202e\u2028b\x00") == "a [31m  b "
    assert printable("größe 日本 [°C]") == "größe 日本 [°C]"


def test_lists_say_how_many_more_there_are():
    """Ten of three thousand, and the rest as a number."""
    assert listed(["a", "b"], 2) == ("a", "b")
    assert listed([str(n) for n in range(3_000)], 2) == ("0", "1", "and 2,998 more")


@given(st.text(max_size=50))
def test_no_cell_is_a_formula(text: str):
    """A spreadsheet computes what begins like one, blanks before it or not."""
    cell = spreadsheet_cell(text, 300)
    assert cell.startswith("'") or not cell.lstrip().startswith(("=", "+", "-", "@")) or float(cell) is not None


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://evil.example")', '\'=HYPERLINK("http://evil.example")'),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1+1", "' =1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-2+3", "'-2+3"),
        ("-1", "-1"),
        ("+1.5", "+1.5"),
        ("yes", "yes"),
    ],
)
def test_formulas_are_marked_as_text_and_numbers_are_left_alone(text: str, cell: str):
    """The apostrophe is what a spreadsheet itself puts before a text."""
    assert spreadsheet_cell(text, 300) == cell


@given(st.text(min_size=2_000, max_size=3_000))
def test_records_that_go_into_ledger_and_state_bound_their_texts(text: str):
    """Each field that somebody wrote, where the record is made."""
    gate = GateResult(gate="segments", passed=False, value=None, threshold=None, n=1, reason=text, groups=(text,))
    verdict = Verdict(version="v2", kind="reject", reason=text, gates=(gate,), evidence=None)
    switch = Switch(switch_id="s", paused=True, changed_at=START, reason=text, actor=text)
    texts = {
        gate.reason: 300,
        gate.groups[0]: 100,
        verdict.reason: 1_500,
        Ending(kind="failed", reason=text).reason: 1_500,
        Trigger(kind="manual", reason=text).reason: 1_500,
        switch.reason: 1_500,
        switch.actor: 100,
        RejectedRow(line=1, reason=text).reason: 1_500,
        RefusedRow(line=1, reason=text).reason: 1_500,
    }
    for shown, at_most in texts.items():
        assert len(shown) <= at_most
        assert shown.isprintable()
