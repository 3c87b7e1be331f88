"""A1111's prompt matrix: which combinations are drawn, where they stand, with which seeds."""

from typing import Any

import pytest

from modules.errors import InvalidRequest
from tests.jobs.kinds.grid.made_grids import grid, values_in

TITLE = "prompt matrix"


def matrix(prompt: str, **arguments: Any) -> Any:
    return grid(TITLE, {"prompt": prompt, "negative_prompt": "n|m", "seed": 5, "n_iter": 3}, arguments)


def test_each_combination_is_drawn_once_and_the_base_always() -> None:
    request = matrix("a cat|big, | in water |,red")
    assert values_in(request, "prompt") == [
        "a cat", "a cat, big", "a cat, in water", "a cat, big, in water",
        "a cat, red", "a cat, big, red", "a cat, in water, red", "a cat, big, in water, red",
    ]  # fmt: skip
    assert [cell.place for cell in request.cells()] == [(x, y, 0) for y in range(2) for x in range(4)]
    assert request.image_count == 8 and set(values_in(request, "negative_prompt")) == {"n|m"}
    layout = request.plan.layout
    assert layout.x.values == ("-", "big", "in water", "big + in water") and layout.y.values == ("-", "red")


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("a {red|blue} cat|in snow", ["a {red|blue} cat", "a {red|blue} cat, in snow"]),
        ("a|{b|{c|d}|e}", ["a", "a, {b|{c|d}|e}"]),
        ("a { b|c", ["a { b", "a { b, c"]),
        ("a } b|c", ["a } b", "a } b, c"]),
        (r"a \{b|c}", [r"a \{b", r"a \{b, c}"]),
        ("[a|b]", ["[a", "[a, b]"]),  # as with A1111
    ],
)
def test_bars_of_variants_part_nothing(prompt: str, prompts: list[str]) -> None:
    assert values_in(matrix(prompt), "prompt") == prompts


@pytest.mark.parametrize(
    ("arguments", "field", "values"),
    [
        ({"put_at_start": True}, "prompt", ["a", "b, a"]),
        ({"variations_delimiter": "space"}, "prompt", ["a", "a b"]),
        ({"prompt_type": "negative"}, "negative_prompt", ["n", "n, m"]),
        ({"different_seeds": True}, "seed", [5, 6]),
        ({}, "seed", [5, 5]),
        ({"prompt_type": "", "put_at_start": None, "variations_delimiter": " "}, "prompt", ["a", "a, b"]),
    ],
)
def test_arguments_are_those_of_a1111(arguments: dict[str, Any], field: str, values: list[Any]) -> None:
    assert values_in(matrix("a|b", **arguments), field) == values


def test_a_list_has_their_order() -> None:
    request = grid(TITLE, {"prompt": "a|b", "seed": 1}, [True, True, "positive", "space", 6])
    assert values_in(request, "prompt", "seed") == [("a", 1), ("b a", 2)] and request.plan.layout.margin == 6


def test_seeds_that_are_open_are_one_or_follow_each_other() -> None:
    request = grid(TITLE, {"prompt": "a|b"}, {"different_seeds": True})
    assert [cell.seed for cell in request.cells()] == [("all", 0), ("all", 1)]


@pytest.mark.parametrize(
    ("prompt", "arguments", "field", "words"),
    [
        ("a|" * 10, {}, "prompt", "has 10 parts behind the first: at most 9"),
        ("a|" * 4000, {}, "prompt", "has 4,000 parts"),
        ("a", {"prompt_type": "both"}, "script_args.prompt_type", '"both" is not possible: use positive or negative'),
        ("a", {"variations_delimiter": 5}, "script_args.variations_delimiter", "use comma or space"),
    ],
)
def test_what_is_not_possible_is_told(prompt: str, arguments: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        matrix(prompt, **arguments)
    assert refused.value.field == field
