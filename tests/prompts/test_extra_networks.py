"""Tags of networks are taken out of a prompt, and say what they ask for."""

from __future__ import annotations

import pytest

from modules.prompts.extra_networks import NetworkTag, without_networks


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("<lora:x>", NetworkTag("lora", "x")),
        ("<lora:x:0.5>", NetworkTag("lora", "x", 0.5, 0.5)),
        ("<lora:x:0.5:-1>", NetworkTag("lora", "x", 0.5, -1.0)),
        ("<lora:x:0.5:1:8>", NetworkTag("lora", "x", 0.5, 1.0, 8)),
        ("<lora:x:te=0.3>", NetworkTag("lora", "x", 0.3, 0.3)),
        ("<lora:x:1:unet=0.3:dyn=4>", NetworkTag("lora", "x", 1.0, 0.3, 4)),
        ("<lora:x:1:2:te=0.3>", NetworkTag("lora", "x", 0.3, 2.0)),
        ("<lyco:x>", NetworkTag("lora", "x")),
        ("<hypernet:x y.z:0.7>", NetworkTag("hypernet", "x y.z", 0.7, 0.7)),
        ("<lora:x:1:lbw=1,0,0.5:start=3>", NetworkTag("lora", "x", arguments=("lbw=1,0,0.5", "start=3"))),
        ("<lora:x:1:1:4:OUT:a=b=c>", NetworkTag("lora", "x", dyn=4, arguments=("OUT", "a=b=c"))),
    ],
)
def test_what_a_tag_asks_for(written: str, tag: NetworkTag) -> None:
    assert without_networks(f"a {written}, b") == ("a , b", (tag._replace(written=written),))


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("<lora:x:abc>", "<lora:x:abc>: 'abc' is not a number, 1 is used."),
        ("<lora:x:0.5:nan>", "<lora:x:0.5:nan>: 'nan' is not a number, 0.5 is used."),
        ("<lora:x:te=1e999>", "<lora:x:te=1e999>: '1e999' is not a number, 1 is used."),
        ("<lora:x:1:1:0>", "<lora:x:1:1:0>: '0' is not a number of ranks, all are used."),
        ("<lora:te=1>", "<lora:te=1> calls for no name: write <lora:name:1>."),
    ],
)
def test_a_value_that_cannot_be_read_is_told_of(written: str, problem: str) -> None:
    text, (tag,) = without_networks(written)
    assert (text, tag.problems) == ("", (problem,))


def test_what_is_no_tag_stays() -> None:
    for text in ("a < b > c", "<lora:x", "<lora:>", "<:x>", "<lora x>", ""):
        assert without_networks(text) == (text, ())
    text, tags = without_networks("<lora:><a:b>c<d:e>")
    assert (text, [tag.written for tag in tags]) == ("<lora:>c", ["<a:b>", "<d:e>"])
    # As A1111 has it, a tag ends with the first bracket.
    assert without_networks("<lora:<lora:x:1>>")[0] == ">"
