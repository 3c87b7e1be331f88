"""What a prompt says and may not mean is found at its place; what is common and right is not."""

from __future__ import annotations

import pytest

from modules.prompts.hints import MOST_HINTS, hints_of


@pytest.mark.parametrize(
    ("text", "places", "says"),
    [
        ("a (b [c", ["(", "["], "is not closed"),
        ("a) b]", [")", "]"], "closes nothing"),
        ("(a:1,2) (a:1.2.3)", ["1,2", "1.2.3"], "is no number"),
        ("(b:9)", ["9"], "A weight of 9"),
        ("[x:1.5]", ["[x:1.5]"], "is no weight but a change"),
        ("[x:y:1.5]", ["[x:y:1.5]"], "changes in hires fix only"),
        ("ratio 16:9", [":9"], "weighs the whole prompt: 9 times"),
        ("[a:b:3] | c", ["|"], "makes all of the prompt plain text"),
        ("[a:b:3] \\", ["\\"], "backslash"),
        ("(a BREAK b)", ["BREAK"], "is a word like any other"),
        ("(x AND y)", ["AND"], "parts the prompt here"),
        ("[<lora:x:1>:0.5]", ["<"], "counts in all steps"),
        ("a <lora:x", ["<lora:x"], "has no > at its end"),
        ("a <lora:x:b>", ["<lora:x:b>"], "'b' is not a number"),
        ("a #ff0000 b\n(c", ["#ff0000", "("], ""),
    ],
)
def test_each_is_told_at_its_place(text: str, places: list[str], says: str) -> None:
    found = hints_of(text)
    assert [text[hint.start : hint.end] for hint in found] == places
    assert all(says in hint.message for hint in found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        r"a (cat:1.2), [dog], ((x)) \( \] [a:b:0.5] [a::8] [a|b|] <lora:x:1> AND c :1.2 BREAK d",
        "at 10:30pm (note: a, b), # (a comment",
        "a | b",
        "{a|b {c|d}} [e:f:3]",
        "ratio 16:9,",
    ],
)
def test_what_is_right_is_not_told_of(text: str) -> None:
    assert hints_of(text) == ()


def test_some_hints_are_for_one_prompt_only() -> None:
    assert hints_of("ratio 16:9", negative=True) == ()
    assert hints_of("(x AND y)", negative=True) == ()
    assert [hint.start for hint in hints_of("#a (b", comments=False)] == [3]
    assert len(hints_of("(" * 10_000)) == MOST_HINTS
