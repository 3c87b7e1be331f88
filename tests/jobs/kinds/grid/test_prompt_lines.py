"""A1111's prompts from file or textbox: what each line draws, and what becomes of lines that cannot be read."""

from typing import Any

import pytest

from modules.errors import InvalidRequest
from tests.jobs.kinds.grid.made_grids import grid, values_in

TITLE = "prompts from file or textbox"


def lines(text: str, fields: dict[str, Any] | None = None, **arguments: Any) -> Any:
    return grid(TITLE, {"seed": 5} | (fields or {}), {"prompt_txt": text} | arguments)


def test_each_line_is_a_prompt() -> None:
    request = lines("red cat\n\n  blue dog \r\n")
    assert values_in(request, "prompt") == ["red cat", "blue dog"]
    assert [cell.place for cell in request.cells()] == [(0, 0, 0), (0, 1, 0)]
    layout = request.plan.layout
    assert layout.y.values == ("red cat", "blue dog") and not layout.has_sheet and request.plan.told == ()


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('--prompt "a cat" --steps 7', {"prompt": "a cat", "steps": 7}),
        ("--prompt a blue cat --negative_prompt b c", {"prompt": "a blue cat", "negative_prompt": "b c"}),
        ("--seed 9 --subseed 8 --subseed_strength 0.5", {"seed": 9, "subseed": 8, "subseed_strength": 0.5}),
        ("--seed_resize_from_w 64 --seed_resize_from_h 72", {"seed_resize_from_w": 64, "seed_resize_from_h": 72}),
        ("--width 64 --height 72 --cfg_scale 3.5", {"width": 64, "height": 72, "cfg_scale": 3.5}),
        ("--sampler_name 'euler A'", {"sampler_name": "Euler a"}),
        ("--sampler_index Heun", {"sampler_name": "Heun"}),
        ("--sampler_index 3", {"sampler_name": None}),
        ("--batch_size 2 --n_iter 3", {"batch_size": 2, "n_iter": 3}),
        ("--styles 'a, b'", {"styles": ("a", "b")}),
        ("--tiling true --do_not_save_grid yes", {"tiling": True, "do_not_save_grid": False}),
        ("--sd_model xl", {"override_settings": {"sd_model_checkpoint": "xl", "emphasis": "None"}}),
        ("--prompt_for_display x --prompt y", {"prompt": "y"}),
    ],
)
def test_a_line_may_have_options(line: str, fields: dict[str, Any]) -> None:
    request = lines(line, {"override_settings": {"emphasis": "None"}})
    (cell,) = request.cells()
    assert {name: getattr(cell.request, name) for name in fields} == fields and request.plan.told == ()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("cat --ar 2:3", 'Line 1 is a prompt as it stands: "cat" is no option'),
        ("--ar 2:3", "--ar is no option"),
        ("--steps 7 8", '"8" is no option'),
        ("--steps", "--steps has no value"),
        ('--prompt "cat', "No closing quotation"),
    ],
)
def test_a_line_whose_options_cannot_be_read_is_a_prompt(line: str, told: str) -> None:
    request = lines(line)
    assert values_in(request, "prompt") == [line] and told in request.plan.told[0]


def test_a_text_does_not_choose_where_pictures_are_saved() -> None:
    request = lines("--prompt cat --outpath_samples /etc --outpath_grids /etc")
    assert values_in(request, "prompt") == ["cat"] and "/etc" not in str(request.cells()[0].request)
    assert request.plan.told == (
        "Line 1: --outpath_samples, --outpath_grids is left out: where pictures are saved is a setting.",
    )


def test_of_many_lines_the_notes_tell_the_first() -> None:
    told = lines("a -- b\n" * 20).plan.told
    assert len(told) == 6 and told[-1] == "And 15 more lines of this kind."


@pytest.mark.parametrize(
    ("position", "prompts"),
    [("start", [("cat main", "n"), ("dog main", "x n")]), ("end", [("main cat", "n"), ("main dog", "n x")])],
)
def test_the_main_prompt_is_joined(position: str, prompts: list[tuple[str, str]]) -> None:
    own = {"prompt": "main", "negative_prompt": "n"}
    request = lines("cat\n--prompt dog --negative_prompt x", own, prompt_position=position)
    assert values_in(request, "prompt", "negative_prompt") == prompts


@pytest.mark.parametrize(
    ("seed", "arguments", "seeds"),
    [
        (5, {}, [(5, "line 1"), (5, "line 2"), (9, "line 3"), (-1, "line 4")]),
        (5, {"checkbox_iterate": True}, [(5, "all"), (7, "all"), (9, "line 3"), (-1, "line 4")]),
        (-1, {"checkbox_iterate_batch": True}, [(-1, "all"), (-1, "all"), (9, "line 3"), (-1, "line 4")]),
        (-1, {}, [(-1, "line 1"), (-1, "line 2"), (9, "line 3"), (-1, "line 4")]),
    ],
)
def test_seeds_are_those_of_a1111(seed: int, arguments: dict[str, Any], seeds: list[tuple[int, str]]) -> None:
    request = lines("a\nb\n--seed 9 --prompt c\n--seed -1 --prompt d", {"seed": seed, "n_iter": 2}, **arguments)
    assert [(cell.request.seed, cell.seed.group) for cell in request.cells()] == seeds
    iterated = grid(TITLE, {"n_iter": 2}, [True, False, "start", "a\nb\nc"])
    assert [cell.seed for cell in iterated.cells()] == [("all", 0), ("all", 2), ("all", 4)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no prompt"),
        (" \n ", "There is no prompt"),
        ("cat\n--steps 0", "Line 2: Steps 0 is not possible: use 1 to 150"),
        ("--steps seven", 'Line 1: --steps "seven" is no number'),
        ("--sampler_name nobody", "Line 1: Sampler 'nobody' is not known"),
        ("--restore_faces true", "Line 1: Face restoration is not available"),
        ("a\n" * 1001, "has 1,001 prompts: 1,000 are possible"),
        ("--n_iter 1000 --batch_size 11", "has 11,000 pictures"),
        ("a" * 100_001, "shorten it to 100,000"),
        ("a" * 10_001, "Line 1: Prompt has 10,001 characters"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        lines(text)
    assert refused.value.field == "script_args.prompt_txt"
