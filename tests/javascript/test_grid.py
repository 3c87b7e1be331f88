"""What the page concludes of a grid, `model/grid.js` and its kin, as the server tells of one."""

from __future__ import annotations

from typing import Any

from tests.javascript.model import evaluate

# Drawn column by column, as where each value of x is a model; of a cell two pictures.
PLACES = [[x, y, z] for z in range(2) for x in range(3) for y in range(2)]
AXES = [
    {"label": "Checkpoint name", "values": ["a", "b", "c"]},
    {"label": "Steps", "values": ["Steps: 5", "Steps: 9"]},
    {"label": "CFG Scale", "values": ["CFG Scale: 1", "CFG Scale: 7"]},
]


def output(index: int, **more: Any) -> dict[str, Any]:
    return {"index": index, "url": f"/sdapi/v1/jobs/f/images/{index}.png", "partial": False, "seed": 1} | more


def grid(outputs: list[dict[str, Any]], cells: int | list[int] = 2, **more: Any) -> dict[str, Any]:
    resolved = {
        "grid": {"script": "X/Y/Z plot", "axes": AXES, "margin": 0}, "places": PLACES, "cells": cells,
        "width": 64, "height": 64, "batch_size": 2, "n_iter": 1,
    }  # fmt: skip
    request = {"of": "txt2img", "script": "X/Y/Z plot", "prompt": "a heart"}
    base = {"id": "f", "kind": "grid", "status": "running", "owner": "me", "outputs": outputs, "request": request}
    return base | {"resolved": resolved} | more


def test_the_size_of_a_grid_is_known_before_its_first_picture() -> None:
    waiting = grid([], resolved=None)
    told = evaluate(
        ["grid.js", "jobs.js", "job_words.js"],
        {"job": grid([]), "waiting": waiting, "mixed": grid([], [1] * 11 + [4])},
        "[layoutOf(job).shape, imageCount(job), gridWords(job), kindOf(job)]",
        "[layoutOf(waiting), gridWords(waiting), baseOf(waiting)]",
        "[imageCount(mixed), cellOf(layoutOf(mixed), 14).number, cellOf(layoutOf(mixed), 15) ?? null]",
        "Array.from({ length: 15 }, (_, index) => cellOf(layoutOf(mixed), index).number)",
        "[cellOf(layoutOf(mixed), -1) ?? null, cellOf(layoutOf(mixed), undefined) ?? null]",
    )
    assert told == [
        [[3, 2, 2], 24, "3 × 2 × 2 grid", "3 × 2 × 2 grid"],
        [None, "X/Y/Z plot", "txt2img"],
        [15, 11, None],
        [*range(11), 11, 11, 11, 11],
        [None, None],
    ]


def test_pictures_that_come_later_are_in_their_cells_too() -> None:
    first = grid([output(0)])
    told = evaluate(
        ["grid.js"],
        {"job": first, "more": [output(0), output(1), output(2)]},
        "[...outputsByCell(job)].map(([cell, own]) => [cell, own.length])",
        "[...outputsByCell({ ...job, outputs: more })].map(([cell, own]) => [cell, own.length])",
        "outputsByCell(job).get(0).length",
    )
    assert told == [[[0, 1]], [[0, 2], [1, 1]], 1]


def test_pictures_are_walked_as_one_reads_the_grid_whatever_their_order_of_drawing() -> None:
    job = grid([output(index) for index in (0, 1, 2, 3, 4, 12)])
    (walked,) = evaluate(
        ["grid.js"], {"job": job}, "picturesOfGrid(job).map(({ index, words, job }) => [index, words, job])"
    )
    assert walked == [
        [0, "a, Steps: 5, CFG Scale: 1", "f"],
        [1, "a, Steps: 5, CFG Scale: 1", "f"],
        [4, "b, Steps: 5, CFG Scale: 1", "f"],
        [2, "a, Steps: 9, CFG Scale: 1", "f"],
        [3, "a, Steps: 9, CFG Scale: 1", "f"],
        [12, "a, Steps: 5, CFG Scale: 7", "f"],
    ]


def test_each_cell_says_how_it_stands() -> None:
    job = grid([output(0), output(1), output(4), output(6), output(7, partial=True)])
    states = (
        "layoutOf(job).cells.slice(0, 6).map((one) => stateOf(one, outputsByCell(job).get(one.number) || [], when))"
    )
    told = evaluate(
        ["grid.js"],
        {"job": job, "drawing": {"ended": False, "now": 9}, "over": {"ended": True, "now": None}},
        states.replace("when", "drawing"),
        states.replace("when", "{ ended: false, now: null, wanted: new Set([3, 10]) }"),
        states.replace("when", "over"),
        "layoutOf(job).cells.slice(0, 4).map((one) => missingIn(one, outputsByCell(job).get(one.number) || []))",
    )
    assert told == [
        ["there", "missing", "missing", "partial", "drawn", "awaited"],
        ["there", "awaited", "missing", "partial", "missing", "awaited"],
        ["there", "missing", "missing", "partial", "missing", "missing"],
        [[], [2, 3], [5], [7]],
    ]


def test_arrow_keys_go_from_cell_to_cell_and_pass_places_without_one() -> None:
    holed = grid([])
    holed["resolved"] = holed["resolved"] | {"places": [place for place in PLACES if place != [1, 0, 0]], "cells": 1}
    steps = [
        ([0, 0, 0], "ArrowRight"), ([2, 0, 0], "ArrowRight"), ([2, 0, 0], "ArrowLeft"), ([0, 0, 0], "ArrowDown"),
        ([0, 1, 0], "ArrowDown"), ([2, 1, 0], "Home"), ([0, 1, 1], "End"), ([1, 1, 0], "ArrowUp"),
    ]  # fmt: skip
    told = evaluate(["grid.js"], {"job": holed}, *(f"stepFrom(layoutOf(job), {at}, '{key}')" for at, key in steps))
    assert told == [[2, 0, 0], [2, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [2, 1, 1], [1, 1, 0]]
    (corner,) = evaluate(["grid.js"], {"job": holed}, "stepFrom(layoutOf(job), [0, 0, 1], 'End', true)")
    assert corner == [2, 1, 1]


def test_a_list_of_prompts_is_laid_out_in_lines() -> None:
    job = grid([output(0), output(3)])
    prompts = {"label": "Prompt", "values": ["unicorn", "ghost", "cat", "dog", "owl"]}
    alone = {"label": "", "values": [""]}
    told = {"script": "Prompts from file or textbox", "axes": [alone, prompts, alone], "has_sheet": False}
    job["resolved"] |= {"grid": told, "places": [[0, y, 0] for y in range(5)], "cells": 1}
    waiting = grid(
        [], resolved=None, request={"of": "txt2img", "prompt": "", "script_args": {"prompt_txt": "cat\ndog"}}
    )
    keys = [(0, "ArrowRight"), (0, "ArrowDown"), (3, "ArrowUp"), (3, "ArrowDown"), (2, "Home"), (2, "End")]
    found = evaluate(
        ["grid.js", "job_words.js"],
        {"job": job, "waiting": waiting},
        "[gridWords(job), lineOf(layoutOf(job)), lineOf(layoutOf(job), 2), lineOf({ hasSheet: true })]",
        "[sampleOf(job).columns, sampleOf(job).outputs.map((one) => one?.index ?? null)]",
        "titleOf(waiting)",
        *(f"stepInList(layoutOf(job), 3, {at}, '{key}')" for at, key in keys),
    )
    assert found == [["5 prompts", 3, 2, None], [3, [0, None, None, 3, None]], "cat", 1, 3, 0, 3, 0, 4]


def test_a_batch_of_a_grid_stays_within_its_cell_and_the_strip_has_one_place_for_all() -> None:
    job = grid([output(0), output(1)], [3] * 12)
    other = {"id": "o", "kind": "txt2img", "status": "done", "owner": "me", "outputs": [output(0)], "finished_at": 1}
    state = {
        "owner": "me",
        "shown": "f",
        "jobs": {"f": job, "o": other | {"request": {}, "resolved": None}},
        "queue": [],
    }
    told = evaluate(
        ["batch.js", "strip_places.js", "grid.js"],
        {"job": job, "state": state},
        "[batchAt(job, 3), batchAt(job, 5)]",
        "placesOf(state).map(({ job, index }) => [job.id, index])",
        "picturesOf(state).map(({ job, index }) => [job, index])",
        "sampleOf(job, 2).outputs.map((one) => one?.index ?? null)",
        "wordsAt(layoutOf(job), [2, 1, 0]) + ' ' + bareValue(layoutOf(job).axes[1], 1)",
    )
    assert told == [
        [{"first": 3, "last": 4}, {"first": 5, "last": 5}],
        [["o", 0], ["f", None]],
        [["o", 0], ["f", 0], ["f", 1]],
        [0, None, None, None],
        "c, Steps: 9, CFG Scale: 1 9",
    ]


def test_the_plan_of_a_script_is_told_with_what_it_takes() -> None:
    drawn = {
        "id": "o", "kind": "txt2img", "status": "done", "owner": "me", "outputs": [output(0)], "started_at": 1,
        "finished_at": 11, "request": {"steps": 10, "width": 10, "height": 10}, "resolved": None,
    }  # fmt: skip
    values = {
        "known": {"owner": "me", "jobs": {"o": drawn}}, "fresh": {"owner": "me", "jobs": {}},
        "plot": {"shape": [4, 3, 1], "pictures": 24, "models": 2, "work": 18000},
        "bad": {"problem": {"message": "no", "field": "script_args.x_values"}},
        "other": {"problem": {"message": "Steps 0 is not possible.", "field": "steps"}},
    }  # fmt: skip
    told = evaluate(
        ["grid_plan.js"],
        values,
        "planWords(plot, known)",
        "planWords({ ...plot, shape: [1, 1, 1], pictures: 1, models: 1 }, fresh)",
        "[planWords(null, fresh), planWords(bad, fresh), planWords(other, fresh)]",
    )
    assert told == [
        "4 × 3 × 2 = 24 pictures, 2 models; about 3 min",
        "1 picture",
        ["Counting …", "", "Steps 0 is not possible."],
    ]


def test_two_axes_change_places_with_all_that_is_theirs() -> None:
    (told,) = evaluate(
        ["../script/scripts.js"],
        {},
        "(() => { const args = { ...argsAtFirst(XYZ), x_type: 'Steps', x_values: '5', vary_seeds_x: true };"
        " const { x_type, y_type, y_values, vary_seeds_x, vary_seeds_y } = swapped(args, 'x', 'y');"
        " return [x_type, y_type, y_values, vary_seeds_x, vary_seeds_y]; })()",
    )
    assert told == ["Nothing", "Steps", "5", False, True]
