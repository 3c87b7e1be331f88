"""Weights as A1111's own examples have them."""

from __future__ import annotations

import pytest

from modules.prompts.attention import Break, Piece, pieces_of, text_without_weights


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("normal text", [("normal text", 1.0)]),
        ("", []),
        ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
        ("(unbalanced", [("unbalanced", 1.1)]),
        ("[unbalanced", [("unbalanced", 1 / 1.1)]),
        (r"\(literal\]", [("(literal]", 1.0)]),
        (r"\a\\b\[c\)", [("a\\b[c)", 1.0)]),
        ("end\\", [("end", 1.0)]),
        ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            [
                ("a ", 1.0),
                ("house", 1.5730000000000004),
                (" ", 1.1),
                ("on", 1.0),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.4641000000000006),
                (".", 1.1),
            ],
        ),
        ("(a:1.5)", [("a", 1.5)]),
        ("(a: 1.5 )b", [("a", 1.5), ("b", 1.0)]),
        ("(a:-.5)(b:+2)", [("a", -0.5), ("b", 2.0)]),
        ("[x:1.5]", [("x:1.5", 1 / 1.1)]),  # no weight
        ("x:1.3) y] z", [("x:1.3) y] z", 1.0)]),
        ("a:b", [("a:b", 1.0)]),
        ("(a:1.2.3)b", [("a:1.2.3", 1.1), ("b", 1.0)]),
        ("(a:nan)(b:1e9)", [("a:nanb:1e9", 1.1)]),
        ("(a:1000000000)", [("a", 1e6)]),
        ("(a:0)b", [("a", 0.0), ("b", 1.0)]),
        ("()", []),
    ],
)
def test_pieces_have_their_weights(text: str, pieces: list[tuple[str, float]]) -> None:
    assert list(pieces_of(text)) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a  BREAK\nb", [Piece("a"), Break(), Piece("b")]),
        ("BREAK", [Break()]),
        ("BREAK BREAK a", [Break(), Break(), Piece("a")]),
        ("(a) BREAK (b)", [Piece("a", 1.1), Break(), Piece("b", 1.1)]),
        ("aBREAK BREAKb break", [Piece("aBREAK BREAKb break")]),
        ("(a BREAK b)", [Piece("a", 1.1), Piece("BREAK", -1.1), Piece("b", 1.1)]),
        ("(a BREAK b:1)", [Piece("a"), Break(), Piece("b")]),
        ("(x:-1)BREAK y", [Piece("x", -1.0), Break(), Piece("y")]),
    ],
)
def test_break_begins_a_chunk(text: str, pieces: list[Piece | Break]) -> None:
    assert list(pieces_of(text)) == pieces


def test_emphasis_may_be_ignored_or_taken_as_text() -> None:
    assert pieces_of("(a:2) b BREAK c", "Ignore") == (Piece("a"), Piece(" b"), Break(), Piece("c"))
    assert pieces_of("(a:2) BREAK \\(", "None") == (Piece("(a:2) BREAK \\("),)
    assert pieces_of("", "None") == ()
    assert pieces_of("(a:2)", "No norm") == (Piece("a", 2.0),)


def test_words_are_left_without_weights() -> None:
    assert text_without_weights(r"a (cat:1.3), [dog] \(x\) BREAK b") == "a cat, dog (x) b"
    assert text_without_weights("a cat") == "a cat"
