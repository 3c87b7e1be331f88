"""Whatever is written: it is read, text without syntax means itself, and twice as much takes twice as long."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.prompts import attention, schedule_tree, schedules
from modules.prompts.attention import Break, Piece, pieces_of
from modules.prompts.comments import without_comments
from modules.prompts.composition import SubPrompt, subprompts_of
from modules.prompts.extra_networks import without_networks
from modules.prompts.hints import hints_of
from modules.prompts.meaning import meaning_of
from modules.prompts.schedules import Stretch, schedule_of

LONGEST = 10_000
SYNTAX = [
    "(",
    ")",
    "[",
    "]",
    ":",
    "|",
    "\\",
    "<",
    ">",
    "#",
    "\n",
    " ",
    "AND",
    "BREAK",
    "lora:",
    "1",
    ".5",
    "-",
    "a",
    "b,",
]
TORTURES = [
    "(",
    "[",
    ")",
    "[]",
    "(a",
    "[a",
    "[[[[:::]]|",
    "[[[[:::]]",
    "(a:1.1)",
    "[a:b:3]",
    "[a|b]",
    "BREAK ",
    "a AND ",
]
TORTURES += [":1.", "<a:", "<a:b>", "\\", "# \n", " ", ":1.1)", "[a|", ":b:3]", "AND :1 "]

texts = st.lists(st.sampled_from(SYNTAX), max_size=60).map("".join) | st.text(max_size=60)


def read(text: str) -> None:
    for cached in (attention.pieces_of, schedule_tree.tree_of, schedules.schedule_of):
        cached.cache_clear()
    for prompt in meaning_of(without_comments(text), 20).prompts:
        for stretch in prompt.schedule:
            pieces_of(stretch.text)


@given(texts, st.integers(1, 40), st.none() | st.integers(1, 40), st.booleans())
def test_every_text_means_something_at_each_step(text: str, steps: int, base_steps: int | None, old: bool) -> None:
    for prompt in meaning_of(text, steps, base_steps, old=old).prompts:
        ends = [stretch.until for stretch in prompt.schedule]
        assert ends == sorted(set(ends))
        assert (ends[0] >= 1, ends[-1]) == (True, steps)
        for stretch in prompt.schedule:
            for piece in pieces_of(stretch.text):
                assert isinstance(piece, Break) or abs(piece.weight) < 1e300


@given(
    st.text(st.characters(exclude_characters="()[]\\<#:", exclude_categories=["Cs"])).filter(
        lambda text: "AND" not in text and "BREAK" not in text
    )
)
def test_text_without_syntax_means_itself(text: str) -> None:
    assert without_comments(text) == text
    assert without_networks(text) == (text, ())
    assert subprompts_of(text) == (SubPrompt(text.rstrip()),)
    assert schedule_of(text, 10) == (Stretch(10, text),)
    assert pieces_of(text) == ((Piece(text),) if text else ())


@given(texts)
def test_escaped_brackets_are_text(text: str) -> None:
    escaped = "".join(f"\\{letter}" if letter in "\\()[]" else letter for letter in text if letter != "|")
    assert schedule_of(escaped, 10) == (Stretch(10, escaped),)
    said = "".join(
        "BREAK" if isinstance(piece, Break) else piece.text for piece in pieces_of(escaped.replace("BREAK", ""))
    )
    assert said == text.replace("|", "").replace("BREAK", "")


@settings(max_examples=20)
@given(texts.filter(bool))
def test_a_nest_of_anything_is_read(text: str) -> None:
    read((text * LONGEST)[:LONGEST])


@pytest.mark.parametrize("part", TORTURES)
def test_twice_the_text_takes_no_more_than_twice_the_work(part: str) -> None:
    half = (part * LONGEST)[: LONGEST // 2]
    assert calls(read, half + half) <= 2.3 * calls(read, half) + 100


def test_a_number_of_a_million_digits_costs_no_more_than_its_length() -> None:
    """An expression that gives back what it has read would take the square of it, which is longer than a test may."""
    digits = "1" * 1_000_000
    assert hints_of(f"(a:{digits}x)") == ()
    assert [hint.message[:25] for hint in hints_of(f"(a:{digits},1)")] == [f"{'1' * 19}… is n"]
    assert schedule_of(f"[a:{digits}x]", 10) == (Stretch(10, f"[a:{digits}x]"),)
    assert schedule_of(f"[a:b:{digits}]", 10) == (Stretch(10, "a"),)


def test_deep_nests_are_read() -> None:
    depth = LONGEST // 6
    for text in ("[" * depth + "a" + ":b:3]" * depth, "[" * depth + "|b]" * depth, "(" * depth + ":1.1)" * depth):
        read(text)
    assert schedule_of("[" * depth + "a" + ":b:3]" * depth, 10) == (Stretch(3, "a"), Stretch(10, "b"))
    # Beyond so many, brackets weigh nothing more.
    (piece,) = pieces_of("(" * depth + "a")
    assert isinstance(piece, Piece)
    assert piece.weight == pytest.approx(1.1**attention.DEEPEST)


def calls(function: Callable[[str], None], text: str) -> int:
    """Return how many functions are called on the way."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return count
