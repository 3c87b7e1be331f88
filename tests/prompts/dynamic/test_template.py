"""What of a prompt is to be chosen, and what is text."""

import pytest

from modules.prompts.dynamic import template
from modules.prompts.dynamic.nodes import Assignment, Nodes, Option, Recall, Variants, Wildcard
from modules.prompts.dynamic.template import MOST_LEVELS, is_template, read_template


def options(*texts: str) -> tuple[Option, ...]:
    return tuple(Option(1.0, (text,) if text else ()) for text in texts)


@pytest.mark.parametrize(
    "text",
    [
        "", "a cat", "{prompt}", "{}", "{{masterpiece}}", "{a", "a|b}", "a|b", "[a|b]", "{a, (b:1.2)}", "$x $$ 5$",
        "__ c __", "____", "a__", "__a\nb__", "__a(b)c__", r"\{a\|b\}", r"\__a__", "${a b}", "${}", "${v", "{2 $$ a}",
        "[a:b:0.5] <lora:x:1> (c:1.3) #d",
    ],
)  # fmt: skip
def test_what_chooses_nothing_is_text_as_it_stands(text: str) -> None:
    assert read_template(text) == (text,)
    assert not is_template(text)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("x{a|b|}y", ("x", Variants(options("a", "b", ""), "{a|b|}"), "y")),
        ("{ a | b }", (Variants(options("a ", "b "), "{ a | b }"),)),
        (
            "{0.5::a|2::b|.1::c}",
            (Variants((Option(0.5, ("a",)), Option(2, ("b",)), Option(0.1, ("c",))), "{0.5::a|2::b|.1::c}"),),
        ),
        ("{2$$a|b|c}", (Variants(options("a", "b", "c"), "{2$$a|b|c}", 2, 2),)),
        ("{2$$ and $$a|b}", (Variants(options("a", "b"), "{2$$ and $$a|b}", 2, 2, " and "),)),
        ("{2$$|$$a|b}", (Variants(options("a", "b"), "{2$$|$$a|b}", 2, 2, "|"),)),
        ("{0-1$$a|b}", (Variants(options("a", "b"), "{0-1$$a|b}", 0, 1),)),
        ("{-2$$a|b|c}", (Variants(options("a", "b", "c"), "{-2$$a|b|c}", 1, 2),)),
        ("{2-$$a|b|c}", (Variants(options("a", "b", "c"), "{2-$$a|b|c}", 2, 3),)),
        ("{3-1$$a|b|c}", (Variants(options("a", "b", "c"), "{3-1$$a|b|c}", 1, 3),)),
        ("{~a|b}{@a|b}", (Variants(options("a", "b"), "{~a|b}", sampler="random"),
                          Variants(options("a", "b"), "{@a|b}", sampler="cyclical"))),
        ("{a|{b|c}}", (Variants((*options("a"), Option(1, (Variants(options("b", "c"), "{b|c}"),))), "{a|{b|c}}"),)),
        ("{[a|b] c|d}", (Variants(options("[a|b] c", "d"), "{[a|b] c|d}"),)),
        ("{[a|b}", (Variants(options("[a", "b"), "{[a|b}"),)),
        ("[x|{a|b}]", ("[x|", Variants(options("a", "b"), "{a|b}"), "]")),
        ("{a {b|c}", ("{a ", Variants(options("b", "c"), "{b|c}"))),
        ("{{b|c}}", (Variants(options("b", "c"), "{b|c}"),)),
        ("__c__", (Wildcard("c", "__c__"),)),
        ("a__b/c d*__e", ("a", Wildcard("b/c d*", "__b/c d*__"), "e")),
        ("__a____b__", (Wildcard("a", "__a__"), Wildcard("b", "__b__"))),
        ("___a__ __~b__", ("_", Wildcard("a", "__a__"), " ", Wildcard("b", "__~b__", sampler="random"))),
        ("__@a(b=c, d={e|f})__", (Wildcard("a", "__@a(b=c, d={e|f})__", (("b", "c"), ("d", "{e|f}")), "cyclical"),)),
        ("__a${v}__", (Wildcard("a${v}", "__a${v}__"),)),
        ("{__a__}", (Wildcard("a", "__a__"),)),
        ("{2$$__a__}", (Variants((Option(1, (Wildcard("a", "__a__"),)),), "{2$$__a__}", 2, 2),)),
        ("${v=a b}${v}", (Assignment("v", ("a b",), "${v=a b}"), Recall("v", "${v}"))),
        ("${ v =! {a|b}}", (Assignment("v", (Variants(options("a", "b"), "{a|b}"),), "${ v =! {a|b}}", at_once=True),)),
        ("${v?=a}${w?=!b}", (Assignment("v", ("a",), "${v?=a}", keep=True),
                              Assignment("w", ("b",), "${w?=!b}", at_once=True, keep=True))),
        ("${v:a}", (Recall("v", "${v:a}", ("a",)),)),
        ("${v:}", (Recall("v", "${v:}", ()),)),
    ],
)  # fmt: skip
def test_what_is_to_be_chosen_is_read(text: str, nodes: Nodes) -> None:
    assert read_template(text) == nodes


def test_groups_within_too_many_others_are_text() -> None:
    deep = "{a|" * MOST_LEVELS + "{b|c}" + "}" * MOST_LEVELS
    node = read_template(deep)
    for _ in range(MOST_LEVELS - 1):
        assert isinstance(node[0], Variants)
        node = node[0].options[1].nodes
    assert isinstance(node[0], Variants) and node[0].options[1].nodes == ("{b|c}",)


@pytest.mark.parametrize(
    "text",
    [
        "{" * 200_000, "}" * 200_000, "[" * 200_000, "[" * 100_000 + "]" * 100_000, "{a|" * 70_000,
        "{a|" * 50_000 + "}" * 50_000, "${v=" * 40_000 + "}" * 40_000, "[{" * 100_000, "{[|" * 60_000 + "]}" * 60_000,
        "_" * 200_000, "__a_b" * 40_000, "__" + "a" * 200_000, "__a(" * 50_000, "{2$$" * 50_000, "$" * 200_000,
        "{" + "|" * 200_000 + "}", "\\" * 200_000,
    ],
)  # fmt: skip
def test_hostile_texts_cost_no_more_than_their_length(text: str) -> None:
    """Quadratic, most would take minutes: the time limit of a test would show it."""
    assert read_template(text)


def test_of_long_texts_few_are_remembered() -> None:
    """While somebody writes, each letter makes another one; all of them together took gigabytes."""
    for number in range(50):
        read_template("{a|b}" * 100 + str(number))
        assert template._read_long.cache_info().currsize <= 8
    assert read_template("{a|b} remembered") is read_template("{a|b} remembered")
