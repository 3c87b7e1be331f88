"""The values of an axis as A1111 writes them: its documented examples, and what goes wrong."""

import time

import pytest

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.value_forms import Form, as_text, texts_in, values_of


def read(form: Form, text: str) -> list[object]:
    return list(values_of(form, texts_in(text)))


@pytest.mark.parametrize(
    ("form", "text", "values"),
    [
        ("whole", "1-5", [1, 2, 3, 4, 5]),
        ("whole", "1-10 (+2)", [1, 3, 5, 7, 9]),
        ("whole", "1-5 (+2)", [1, 3, 5]),
        ("whole", "10-5 (-3)", [10, 7]),
        ("whole", "5-1 (-1)", [5, 4, 3, 2, 1]),
        ("whole", "5-2", [5, 4, 3, 2]),
        ("whole", "1-10 [5]", [1, 3, 5, 7, 10]),
        ("whole", "3-9 [1]", [3]),
        ("whole", "-1, 5, 2-4, 7.0,", [-1, 5, 2, 3, 4, 7]),
        ("whole", " - 2 - 1 ", [-2, -1, 0, 1]),
        ("whole", "9007199254740993", [9007199254740993]),
        ("real", "0-1 [5]", [0, 0.25, 0.5, 0.75, 1]),
        ("real", "0.0-1.0 [6]", [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("real", "1-2 (+0.25)", [1, 1.25, 1.5, 1.75, 2]),
        ("real", "1-3 (+0.5)", [1, 1.5, 2, 2.5, 3]),
        ("real", "1-2 (+0.3)", [1, 1.3, 1.6, 1.9]),
        ("real", "7.5, 1e1, 1-2", [7.5, 10, 1, 2]),
        ("text", 'darkness, light, "green, blue"', ["darkness", "light", "green, blue"]),
        ("text", 'a,,"say ""b"""', ["a", "", 'say "b"']),
        ("text", "a\nb, c", ["a", "b", "c"]),
        ("text", "1-5", ["1-5"]),
        ("text", "", []),
        ("orders", "a,b", [("a", "b"), ("b", "a")]),
        ("orders", "", []),
    ],
)
def test_a_list_and_ranges_are_read(form: Form, text: str, values: list[object]) -> None:
    assert read(form, text) == values


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("whole", "1, abc", '"abc" is no whole number: write numbers with commas'),
        ("whole", "1.5", '"1.5" is no whole number'),
        ("whole", "1-3 (+0.5)", "numbers that are not whole ones"),
        ("real", "nan", '"nan" is no number'),
        ("whole", f"1-{' ' * 19_000}x", "is no whole number"),
        ("real", "1e999", '"1e999" is no number'),
        ("real", "1-2 (-1)", r"never comes to its end: write its step as \(\+1\)"),
        ("real", "2-1 (+1)", r"never comes to its end: write its step as \(-1\)"),
        ("whole", "1-5 (+0)", "never comes to its end"),
        ("whole", "1-10 [0]", "has no values"),
        ("whole", "1-1000000000", "has 1,000,000,000 values: an axis has at most 1,000"),
        ("real", "0-1 (+0.000000001)", "has 1,000,000,001 values"),
        ("real", "0-1 [1000000000]", "has 1,000,000,000 values"),
        ("whole", "1-600, 1-600", "The list has 1,200 values"),
        ("whole", "1-1000," * 2000, "The list has 2,000 values"),
        ("orders", "a,b,c,d,e,f,g", "7 texts have 5,040 orders"),
        ("orders", ",".join(map(str, range(3000))), "3,000 texts have more than"),
        ("text", "a," * 1000, "The list has 1,001 values"),
    ],
)
def test_what_cannot_be_an_axis_is_told_at_once(form: Form, text: str, words: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidRequest, match=words):
        read(form, text)
    assert time.process_time() - began < 0.5  # nothing is written out before it is counted


@pytest.mark.parametrize("texts", [["a", "b, c", ' "quoted" ', "", "two\nlines", "1-5"]])
def test_a_list_is_written_so_that_it_is_read_again(texts: list[str]) -> None:
    assert list(texts_in(as_text(texts))) == [text.strip() for text in texts]
