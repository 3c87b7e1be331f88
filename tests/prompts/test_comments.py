"""Comments go as A1111 takes them out."""

from __future__ import annotations

import pytest

from modules.prompts.comments import without_comments


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a cat\na dog", "a cat\na dog"),
        ("a cat # of mine", "a cat \n"),
        ("a # b\nc", "a \nc"),
        ("# a\nb", "\nb"),
        ("a\n# b\nc", "a\nc"),
        ("a\n# b\n# c\nd", "a\n\nd"),
        ("a #b\n#c\nd", "a \nd"),
        ("#ff0000", "\n"),
    ],
)
def test_comments_go_to_the_end_of_the_line(text: str, left: str) -> None:
    assert without_comments(text) == left
