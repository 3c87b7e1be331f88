"""AND and the weights of what it joins."""

from __future__ import annotations

import pytest

from modules.prompts.composition import subprompts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [("", 1.0)]),
        ("a cat", [("a cat", 1.0)]),
        ("cat :1.2 AND dog AND fog :-0.5", [("cat", 1.2), (" dog", 1.0), (" fog", -0.5)]),
        ("a AND b: +2. ", [("a", 1.0), (" b", 2.0)]),
        ("a:.5 AND\nb:c", [("a", 0.5), ("\nb:c", 1.0)]),
        ("a:1:2", [("a:1", 2.0)]),
        ("a:1e3 AND b:", [("a:1e3", 1.0), (" b:", 1.0)]),
        ("ratio 16:9", [("ratio 16", 9.0)]),
        ("(a AND b:1.2)", [("(a", 1.0), (" b:1.2)", 1.0)]),
        (f"a :{'9' * 400} AND b :-{'9' * 400}", [("a", 1e6), (" b", -1e6)]),
        ("SAND ANDy and", [("SAND ANDy and", 1.0)]),
        ("AND", [("", 1.0), ("", 1.0)]),
    ],
)
def test_parts_and_weights(text: str, parts: list[tuple[str, float]]) -> None:
    assert list(subprompts_of(text)) == parts
