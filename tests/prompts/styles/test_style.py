"""How styles change prompts, and how they are found in prompts again."""

import pytest

from modules.errors import InvalidRequest
from modules.prompts.styles.style import Found, Style, find_styles, with_styles


@pytest.mark.parametrize(
    ("prompt", "texts", "made"),
    [
        ("a cat", [], "a cat"),
        ("a cat", ["oil"], "a cat, oil"),
        ("a cat", ["", "oil", " "], "a cat, oil"),
        ("", ["oil"], "oil"),
        ("a cat", ["ink of {prompt}, fine", "oil"], "ink of a cat, fine, oil"),
        ("a cat", ["oil", "ink of {prompt}"], "ink of a cat, oil"),
        ("a cat", ["{prompt} or {prompt}"], "a cat or a cat"),
        (" a {b|c} ", ["(x)"], "a {b|c}, (x)"),
    ],
)
def test_each_style_is_put_on_what_the_one_before_made(prompt: str, texts: list[str], made: str) -> None:
    assert with_styles(prompt, texts, 1000) == made


STYLES = [
    Style("oil", "oil", "photo"),
    Style("oiled", "fine, oil", "photo"),
    Style("ink", "ink of {prompt}!", ""),
    Style("twice", "{prompt}/{prompt}"),
    Style("bad", "", "ugly"),
    Style("none"),
]


@pytest.mark.parametrize(
    ("prompt", "negative", "found"),
    [
        ("a cat, oil", "dog, photo", (("oil",), "a cat", "dog")),
        ("a cat, oil", "photo", (("oil",), "a cat", "")),
        ("oil", "photo", (("oil",), "", "")),
        ("a cat, oil", "dog", ((), "a cat, oil", "dog")),
        ("a cat, fine, oil", "photo", (("oiled",), "a cat", "")),
        ("ink of a cat!", "", (("ink",), "a cat", "")),
        ("ink of a cat!, oil", "photo, ugly", (("ink", "oil", "bad"), "a cat", "")),
        ("ink of a cat, oil!", "photo", (("oil", "ink"), "a cat", "")),
        ("boil", "photo", ((), "boil", "photo")),
        ("ink of!", "", ((), "ink of!", "")),
        ("a cat/a cat", "", (("twice",), "a cat", "")),
        ("a cat/a dog", "", ((), "a cat/a dog", "")),
        ("", "", ((), "", "")),
    ],
)
def test_styles_are_found_where_they_make_both_prompts_anew(
    prompt: str, negative: str, found: tuple[tuple[str, ...], str, str]
) -> None:
    assert find_styles(prompt, negative, STYLES) == Found(*found)


def test_what_is_found_gives_the_prompts_anew_whatever_the_order() -> None:
    by_name = {style.name: style for style in STYLES}
    for names in (["oil", "ink", "bad"], ["ink", "oiled"], ["twice", "ink"], ["bad", "ink", "oil"]):
        made = with_styles("a cat", [by_name[name].prompt for name in names], 1000)
        negative = with_styles("dog", [by_name[name].negative_prompt for name in names], 1000)
        found = find_styles(made, negative, STYLES)
        assert found.prompt == "a cat"
        texts, negatives = (
            [getattr(by_name[name], of) for name in found.names] for of in ("prompt", "negative_prompt")
        )
        assert with_styles(found.prompt, texts, 1000) == made
        assert with_styles(found.negative_prompt, negatives, 1000) == negative


def test_styles_that_have_the_prompt_in_many_places_are_refused_before_they_are_made() -> None:
    """Each of these doubles it: made, the result would have more characters than there are atoms."""
    with pytest.raises(InvalidRequest, match="has 14,334 characters: 10,000 are possible") as refused:
        with_styles("a cat", ["{prompt}, {prompt}"] * 300, 10_000)
    assert refused.value.field == "styles"
    assert with_styles("ab", ["{prompt}{prompt}"] * 2, 8) == "abababab"
