"""All that a prompt can become."""

import pytest

from modules.prompts.dynamic.combinations import TooManyCombinations, combinations
from tests.prompts.dynamic.test_expansion import WILDCARDS


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a cat", ["a cat"]),
        ("{a|b} {c|d}!", ["a c!", "a d!", "b c!", "b d!"]),
        ("{a|a|0::c}", ["a"]),
        ("{a|{b|c}}", ["a", "b", "c"]),
        ("{2$$a|b|c}", ["a, b", "a, c", "b, a", "b, c", "c, a", "c, b"]),
        ("{0-1$$a|b}", ["", "a", "b"]),
        ("__animal__", ["big cat", "small cat", "red dog", "blue dog", "green dog"]),
        ("{1-2$$/$$a|b|c}", ["a", "b", "c", "a/b", "a/c", "b/a", "b/c", "c/a", "c/b"]),
        ("{2$$__colour__}", ["red, blue", "red, green", "blue, red", "blue, green", "green, red", "green, blue"]),
        ("${v=!{a|b}}${v}${v}", ["aa", "bb"]),
        ("${v={a|b}}${v}${v}", ["aa", "ab", "ba", "bb"]),
        ("__season(season={wet|dry})__", ["wet rain", "dry rain"]),
        ("{a|b} {~c|d} {@e|f} __@colour__", ["a {~c|d} {@e|f} __@colour__", "b {~c|d} {@e|f} __@colour__"]),
        ("__gone__ ${gone} {prompt}", ["__gone__ ${gone} {prompt}"]),
    ],
)  # fmt: skip
def test_all_are_made_in_order(text: str, made: list[str]) -> None:
    assert combinations(text, WILDCARDS, 20, 1_000) == tuple(made)


@pytest.mark.parametrize(
    "text",
    [
        "{a|b}" * 5, "{5$$a|b|c|d|e|f|g|h|i|j}", "{" + "|".join("abcdefghijklmnopqrstu") + "}", "__self__", "__twice__",
        "${v=a ${v}}${v}", "{a|b}" + "__long__" * 2, "{a|b}" * 2_000,
    ],
)  # fmt: skip
def test_too_many_are_refused_at_once(text: str) -> None:
    with pytest.raises(TooManyCombinations):
        combinations(text, WILDCARDS, 20, 1_000)


def test_prompts_that_are_too_long_for_so_many_are_refused_at_once() -> None:
    assert len(combinations("{a|b}" * 4 + "${x}a" * 200, WILDCARDS, 20, 20_000)) == 16
    with pytest.raises(TooManyCombinations):
        combinations("{a|b}" * 4 + "${x}a" * 2_000, WILDCARDS, 20, 20_000)
