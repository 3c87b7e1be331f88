"""Schedules as A1111's own examples have them: which text holds until which of ten steps."""

from __future__ import annotations

import pytest

from modules.prompts.schedules import Stretch, schedule_of, stretch_at


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        ("test", [(10, "test")]),
        ("", [(10, "")]),
        ("a [b:3]", [(3, "a "), (10, "a b")]),
        ("a [b: 3]", [(3, "a "), (10, "a b")]),
        ("a [b: 3 ]", [(3, "a "), (10, "a b")]),
        ("a [[[b]]:2]", [(2, "a "), (10, "a [[b]]")]),
        ("[(a:2):3]", [(3, ""), (10, "(a:2)")]),
        ("a [b : c : 1] d", [(1, "a b  d"), (10, "a  c  d")]),
        ("a[b:[c:d:2]:1]e", [(1, "abe"), (2, "ace"), (10, "ade")]),
        ("a [unbalanced", [(10, "a [unbalanced")]),
        ("a [b:.5] c", [(5, "a  c"), (10, "a b c")]),
        ("((a][:b:c [d:3]", [(3, "((a][:b:c "), (10, "((a][:b:c d")]),
        ("[a::4]b", [(4, "ab"), (10, "b")]),
        ("[x:1.5]", [(10, "")]),  # no weight: x from step 15 of 10
        ("[a:b:0]", [(10, "b")]),
        ("[a:b:-3]", [(10, "b")]),
        ("[a:b:+3]", [(3, "a"), (10, "b")]),
        ("[a:b:2e0]", [(2, "a"), (10, "b")]),
        ("[a:b:1e999]", [(10, "a")]),
        ("[a:b:99]", [(10, "a")]),
        ("[a:b:1.]", [(10, "a")]),
        ("[a:b:0.99]", [(9, "a"), (10, "b")]),
        ("[a:b:c:3]", [(10, "[a:b:c:3]")]),
        ("[a:b]", [(10, "[a:b]")]),
        ("[[a:b]:c:3]", [(10, "[[a:b]:c:3]")]),  # what is no bracket makes those around it none
        ("[(a:b:3]", [(10, "[(a:b:3]")]),
        ("(a [b:c:3])", [(3, "(a b)"), (10, "(a c)")]),
        (r"\[a:b:3\]", [(10, r"\[a:b:3\]")]),
        (r"[\[a\]:b:3]", [(3, r"\[a\]"), (10, "b")]),
        ("[a|b", [(10, "[a|b")]),
        ("(a|b) [c:3]", [(10, "(a|b) [c:3]")]),  # a bar without alternation: all is text
        ("[a:3] \\", [(10, "[a:3] \\")]),
        ("[a:3] \\\n", [(10, "[a:3] \\\n")]),
    ],
)
def test_texts_hold_until_their_steps(text: str, stretches: list[tuple[int, str]]) -> None:
    assert list(schedule_of(text, 10)) == stretches


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a|(b:1.1)]", ["a", "(b:1.1)"] * 5),
        ("[fe|]male", ["female", "male"] * 5),
        ("[fe|||]male", ["female", "male", "male", "male"] * 2 + ["female", "male"]),
        ("[a|[b:c:5]]", ["a", "b", "a", "b", "a", "c", "a", "c", "a", "c"]),
        ("[[a|b]:c:2]", ["a", "b"] + ["c"] * 8),
        ("[|a]", ["", "a"] * 5),
    ],
)
def test_options_take_turns(text: str, said: list[str]) -> None:
    schedule = schedule_of(text, 10)
    assert [next(stretch.text for stretch in schedule if step <= stretch.until) for step in range(1, 11)] == said


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        ("a [b:.5] c", [(10, "a b c")]),
        ("a [b:1.5] c", [(5, "a  c"), (10, "a b c")]),
        ("a [b:13] c", [(3, "a  c"), (10, "a b c")]),
        ("a [b:3] c", [(10, "a b c")]),
        ("[a|b:c]", [(10, "[a|b:c]")]),
    ],
)
def test_hires_fix_counts_on(text: str, stretches: list[tuple[int, str]]) -> None:
    assert list(schedule_of(text, 10, 10)) == stretches


def test_old_timelines_repeat_those_of_the_first_pass() -> None:
    assert schedule_of("[a:b:1.5]", 10, old=True) == ((1, "a"), (10, "b"))
    assert schedule_of("[a:b:0.5]", 10, old=True) == ((5, "a"), (10, "b"))
    assert schedule_of("[a:b:4]", 6, 10, old=True) == ((4, "a"), (6, "b"))
    assert schedule_of("[a:b:8]", 6, 10, old=True) == ((6, "a"),)
    assert schedule_of("[a:b:4]", 14, 10, old=True) == ((4, "a"), (10, "b"), (14, "a"))


def test_a_stretch_holds_for_the_calls_up_to_its_end_counted_from_0() -> None:
    schedule = (Stretch(3, "cat"), Stretch(6, "dog"))
    assert [stretch_at(schedule, call) for call in range(6)] == [0, 0, 0, 0, 1, 1]
    assert stretch_at((Stretch(5, "cat"),), 9) == 0
