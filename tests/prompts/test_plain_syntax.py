"""What A1111 obeys in a prompt and this version draws as text."""

import pytest

from modules.prompts.plain_syntax import describe_plain_syntax, plain_syntax


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a red heart, 2 cats: one black", ()),
        ("(red heart:1.4), [blue], <lora:pixel-art:1>", ("(red heart:1.4)", "[blue]", "<lora:pixel-art:1>")),
        ("((cat)) and [a:b:.5] or [a|b]", ("((cat))", "[a:b:.5]", "[a|b]")),
        ("(a [b] <lora:c:1> AND d:1.2), e", ("(a [b] <lora:c:1> AND d:1.2)",)),
        ("cat AND dog BREAK a band, breaking", ("AND", "BREAK")),
        ("(cat:1.2), (cat:1.2)", ("(cat:1.2)",)),
        (r"girl \(series\), \[x\]", ()),
        (r"(girl \(series\):1.2)", (r"(girl \(series\):1.2)",)),
        (":( sad (cat:1.3) :)", ("( sad (cat:1.3) :)",)),
        ("sad :( but (cat:1.3)", ("(cat:1.3)",)),
        ("1 < 2, <b>, () [ ], <hypernet:x:1>", ("<hypernet:x:1>",)),
    ],
)
def test_parts_that_a1111_would_obey_are_found(text: str, parts: tuple[str, ...]) -> None:
    assert plain_syntax(text) == parts


def test_a_description_names_parts_of_both_prompts_once_and_is_short() -> None:
    assert describe_plain_syntax("a cat", "a dog") is None
    told = "Taken as plain text, since this version has no weights, schedules or networks in prompts: "
    assert describe_plain_syntax("(a:2), b", "(a:2), [c]") == told + "(a:2), [c]."
    many = describe_plain_syntax(", ".join(f"({'x' * 100}{number})" for number in range(9)))
    assert many is not None and many.endswith("… and 4 more.") and len(many) < 400


@pytest.mark.parametrize("text", ["(" * 100_000, "()" * 50_000, "[(" * 500_000 + ")]" * 500_000, "<a:" * 30_000])
def test_hostile_texts_cost_no_more_than_their_length(text: str) -> None:
    """Quadratic, the third would take hours: the time limit of a test would show it."""
    assert len(plain_syntax(text)) <= 1
