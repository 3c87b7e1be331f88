"""Infotext as A1111 writes it, and the way back."""

import pytest
from hypothesis import assume, given, settings, strategies

from modules.images.infotext import parse, parse_pairs, write, write_sheet
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.grid.layout import Layout
from modules.jobs.kinds.grid.resolved import Cell, ResolvedGrid
from modules.jobs.kinds.txt2img import TXT2IMG, Txt2ImgRequest
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from tests.jobs.made_jobs import resolved_job as resolved


def test_keys_stand_in_a1111s_order() -> None:
    assert write(resolved(negative_prompt="blurry\nugly"), 2) == (
        "red heart\n"
        "Negative prompt: blurry\nugly\n"
        "Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1002, Size: 512x768, "
        "Model hash: 0123456789, Model: emoji, Version: steady-0.1.0"
    )


def test_settings_leave_parts_out_and_nothing_empty_is_written() -> None:
    quiet = {"add_model_name_to_info": False, "add_model_hash_to_info": False, "add_version_to_infotext": False}
    assert write(resolved(prompt="", cfg_scale=7.5, **quiet), 0) == (
        "Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7.5, Seed: 1000, Size: 512x768"
    )


def test_a_stopped_picture_is_marked() -> None:
    assert ", Model: emoji, Partial: 12/20, Version: " in write(resolved(), 0, steps_done=12)


def test_a_sheet_tells_of_its_first_cell_and_of_what_made_a_grid_of_it() -> None:
    pairs = {"Script": "X/Y/Z plot", "X Type": "Steps", "X Values": "1,2", "Z Type": "Seed", "Fixed Z Values": "5, 6"}
    layout = Layout(script="X/Y/Z plot", pairs=pairs)
    cells = [Cell(place=(x, 0, z), drawn=resolved(steps=x + 1, seed=z + 5)) for x in (1, 0) for z in (0, 1)]
    grid = ResolvedGrid.of(layout, cells, cells[0].drawn.saving)
    whole, second = write_sheet(grid), write_sheet(grid, 1)
    assert "\nSteps: 1," in whole and "Seed: 5," in whole and "\nSteps: 1," in second and "Seed: 6," in second
    told = 'Script: X/Y/Z plot, X Type: Steps, X Values: "1,2", '
    assert told + 'Z Type: Seed, Fixed Z Values: "5, 6", Version' in whole and f"{told}Version" in second


def test_values_are_quoted_as_json_where_they_must() -> None:
    text = write(resolved(checkpoint='odd, "name": é\\'), 0)
    assert r'Model: "odd, \"name\": é\\", Version' in text
    assert parse_pairs(text)["Model"] == 'odd, "name": é\\'


def test_a_file_of_a1111_becomes_a_request() -> None:
    text = (
        "a cat, (sitting:1.2)\nsecond line\n"
        "Negative prompt: blurry\nlowres\n"
        "Steps: 30, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 4294967295, Size: 768x512, "
        'Model hash: 6ce0161689, Model: v1-5-pruned, Lora hashes: "a: 1, b: 2", Version: v1.10.1'
    )
    assert parse(text) == {
        "prompt": "a cat, (sitting:1.2)\nsecond line",
        "negative_prompt": "blurry\nlowres",
        "sampler_name": "DPM++ 2M",
        "scheduler": "Karras",
        "steps": 30,
        "seed": 4294967295,
        "cfg_scale": 6.5,
        "width": 768,
        "height": 512,
        "override_settings": {"sd_model_checkpoint": "v1-5-pruned"},
    }


def test_fewer_than_three_pairs_are_prompt() -> None:
    assert parse("a sign: open, hours: late") == {"prompt": "a sign: open, hours: late", "negative_prompt": ""}


@pytest.mark.parametrize(
    "line",
    ["Steps: x, Seed: -1, Size: big, CFG scale: nan", f"Steps: {'9' * 5000}, Seed: ٣, Size: 1x, CFG scale: 1e999"],
)
def test_values_that_cannot_be_read_are_left_open(line: str) -> None:
    assert parse(line) == {"prompt": "", "negative_prompt": ""}


@pytest.mark.parametrize("text", ["a" * 500_000, " " * 500_000, 'a: "' * 100_000, "a:" * 200_000, "\n" * 500_000])
def test_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    assert parse(text) == {"prompt": text.strip(), "negative_prompt": ""}


def one_line() -> strategies.SearchStrategy[str]:
    return strategies.text(strategies.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=60)


def prompts() -> strategies.SearchStrategy[str]:
    """Prompts that text can carry: A1111 strips every line and takes "Negative prompt:" for its own."""
    lines = one_line().map(str.strip).filter(lambda line: not line.startswith("Negative prompt:"))
    return strategies.lists(lines, max_size=4).map("\n".join).map(str.strip)


resolved_requests = strategies.builds(
    resolved,
    prompt=prompts(),
    negative_prompt=prompts(),
    seed=strategies.integers(0, 2**63 - 1),
    steps=strategies.integers(1, 150),
    cfg_scale=strategies.floats(0, 30).map(lambda value: round(value, 3)),
    width=strategies.integers(8, 256).map(lambda value: value * 8),
    height=strategies.integers(8, 256).map(lambda value: value * 8),
    sampler_name=strategies.sampled_from([sampler.name for sampler in SAMPLERS]),
    scheduler=strategies.sampled_from([schedule.label for schedule in SCHEDULES]),
    checkpoint=one_line().filter(bool),
)


@settings(deadline=None, max_examples=300)
@given(resolved_requests)
def test_text_to_request_to_text_is_the_same(before: ResolvedJob) -> None:
    text = write(before, 0)
    fields = parse(text)
    checkpoint = fields.pop("override_settings")["sd_model_checkpoint"]
    again = resolved(**TXT2IMG.told(before) | fields | {"checkpoint": checkpoint})
    assert again == before
    assert write(again, 0) == text


@settings(deadline=None)
@given(resolved_requests)
def test_what_is_parsed_is_a_request(before: ResolvedJob) -> None:
    sampler = next(sampler for sampler in SAMPLERS if sampler.name == before.passes[0].sampler_name)
    assume(before.passes[0].scheduler in sampler.schedules)
    request = Txt2ImgRequest.model_validate(parse(write(before, 0)))
    drawn = before.passes[0]
    assert (request.prompt, request.seed, request.steps) == (before.words.prompt, before.seed, drawn.steps)
    assert (request.sampler_name, request.scheduler) == (drawn.sampler_name, drawn.scheduler)


@settings(deadline=None, max_examples=300)
@given(strategies.text())
def test_any_text_is_read_without_failing(text: str) -> None:
    fields = parse(text)
    assert set(fields) >= {"prompt", "negative_prompt"}
