"""Encoders that know no weights read the words alone, and people are told what that leaves out."""

from __future__ import annotations

from modules.prompts.meaning import meaning_of
from modules.prompts.weightless import describe_lost_weights, text_without_weights


def test_words_are_left() -> None:
    assert text_without_weights(r"a (cat:1.3), [dog] \(x\) BREAK b") == "a cat, dog (x) b"
    assert text_without_weights("a cat") == "a cat"


def test_what_is_lost_is_told_once() -> None:
    meanings = [meaning_of("(cat, :1.3) [a:(b):3]", 10), meaning_of("(cat, :1.3) BREAK c", 10, negative=True)]
    told = "This model's text encoder takes no weights, so these words count as all others: "
    assert describe_lost_weights(meanings) == told + "cat (1.3), b (1.1), BREAK."
    assert describe_lost_weights([meaning_of("a cat, [a|b] ( )", 10)]) is None
    many = describe_lost_weights([meaning_of(", ".join(f"({'x' * 100}{number}:2)" for number in range(9)), 10)])
    assert many is not None
    assert many.endswith(f"{'x' * 39}… (2).")


def test_words_of_before_have_no_weights() -> None:
    assert describe_lost_weights([]) is None
