"""The prompt of one picture: what its seed chooses."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from modules.prompts.dynamic.expansion import expand
from modules.prompts.dynamic.values import Values


class Lists:
    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        self._lists = {name: Values(lines) for name, lines in lists.items()}

    def values(self, name: str) -> Values | None:
        return self._lists.get(name)


WILDCARDS = Lists(
    {
        "colour": ["red", "blue", "green"], "animal": ["{big|small} cat", "__colour__ dog"], "empty": [],
        "self": ["__self__ and more"], "twice": ["__twice__ __twice__"], "long": ["x" * 600],
        "season": ["${season} rain"], "colour-dark": ["navy"],
    }
)  # fmt: skip
SEEDS = range(300)


def made(text: str, seeds: Sequence[int] = SEEDS, longest: int = 10_000) -> list[str]:
    return [expand(text, seed, WILDCARDS, longest) for seed in seeds]


def test_a_seed_gives_the_same_words_on_every_machine_and_in_every_version() -> None:
    text = "{a|b|c} __animal__, {2$$x|y|z} {0.3::rare|often}"
    assert made(text, [0, 1, 2, 12345]) == [
        "c small cat, y, z often",
        "b green dog, z, y often",
        "a big cat, x, z often",
        "b red dog, x, z often",
    ]
    assert expand(text, 7, WILDCARDS, 10_000, "negative") != expand(text, 7, WILDCARDS, 10_000)


@pytest.mark.parametrize(
    ("text", "all_of_it"),
    [
        ("{a|b}!", {"a!", "b!"}),
        ("{a|}", {"a", ""}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("{2$$a|b|c}", {"a, b", "a, c", "b, a", "b, c", "c, a", "c, b"}),
        ("{2$$ and $$a|b}", {"a and b", "b and a"}),
        ("{9$$a|b}", {"a, b", "b, a"}),
        ("{0-1$$a|b}", {"", "a", "b"}),
        ("{0$$a|b}", {""}),
        ("{0::a|b}", {"b"}),
        ("{0::a|0::b}", {"a", "b"}),
        ("__colour__", {"red", "blue", "green"}),
        ("__animal__", {"big cat", "small cat", "red dog", "blue dog", "green dog"}),
        (
            "{2$$__colour__}",
            {f"{a}, {b}" for a in ("red", "blue", "green") for b in ("red", "blue", "green") if a != b},
        ),
        (
            "{2$$__colour__|__colour__}",
            {f"{a}, {b}" for a in ("red", "blue", "green") for b in ("red", "blue", "green")},
        ),
        ("${v=!{a|b}}${v}${v}", {"aa", "bb"}),
        ("${v={a|b}}${v}${v}", {"aa", "ab", "ba", "bb"}),
        ("${v=a}${v?=b}${v}${w?=c}${w}", {"ac"}),
        ("${v:d} ${v}", {"d ${v}"}),
        ("__season(season={wet|dry})__ ${season:none}", {"wet rain none", "dry rain none"}),
        ("__colour-${d}__ ${d=dark}__colour-${d}__", {"__colour-${d}__ navy"}),
        ("__gone__ __empty__ {prompt}", {"__gone__ __empty__ {prompt}"}),
    ],
)
def test_all_that_may_come_does_and_nothing_else(text: str, all_of_it: set[str]) -> None:
    assert set(made(text)) == all_of_it


def test_weights_make_an_option_as_likely_as_they_say() -> None:
    counted = Counter(made("{3::a|b}", range(4000)))
    assert 0.70 < counted["a"] / 4000 < 0.80
    first = Counter(text[0] for text in made("{2$$3::a|b|0::c}", range(4000)))
    assert 0.70 < first["a"] / 4000 < 0.80 and first["c"] == 0
    assert len(Counter(made("{3$$a|b|c}", range(4000)))) == 6


def test_in_turn_follows_the_seed_and_keeps_lists_in_step() -> None:
    assert made("{@a|b|c} __@colour__", range(5)) == ["a red", "b blue", "c green", "a red", "b blue"]
    assert made("{@2$$a|b|c}", range(3)) == ["a, b", "b, c", "c, a"]


def test_what_leads_to_itself_or_to_too_much_stays_as_it_is_written() -> None:
    assert set(made("__self__, {a|b}", longest=500)) == {"__self__, a", "__self__, b"}
    assert made("__twice__ __self__", [1]) == ["__twice__ __self__"]
    assert made("${v=a ${v}}${v}", [1]) == ["${v}"]
    assert set(made("{a|b} __long__", longest=500)) == {"a __long__", "b __long__"}
    assert made("__long__" * 20, [1], longest=1000) == ["x" * 600 + "__long__" * 19]
    assert made("__long__" + "y" * 500, [1], longest=1000) == ["__long__" + "y" * 500]


DOUBLED = "".join(f"${{v{number + 1}=${{v{number}}} ${{v{number}}}}}" for number in range(30))


@pytest.mark.parametrize(
    "text",
    [
        "{a|b}" * 2_000, "__twice__" * 1_100, "__self__" * 1_250, "{99$$__colour__}" * 600,
        "${v={a|b}}" + "${v}" * 2_400, "${v0={x|y}}" + DOUBLED + "${v30} " * 1_000,
    ],
)  # fmt: skip
def test_nothing_grows_beyond_what_a_prompt_may_have(text: str) -> None:
    assert len(expand(text, 1, WILDCARDS, 10_000)) <= 10_000
