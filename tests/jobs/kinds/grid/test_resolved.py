"""A grid with nothing left open: how its row is kept small, which picture is of which cell, what is drawn when."""

import json
from typing import Any

import pytest

from modules.jobs.kinds.base import ResolvedJob, Source, Variation
from modules.jobs.kinds.grid.grid import GRID
from modules.jobs.kinds.grid.layout import Axis, Layout
from modules.jobs.kinds.grid.order import in_drawing_order
from modules.jobs.kinds.grid.packing import changes_from, with_changes
from modules.jobs.kinds.grid.resolved import Cell, ResolvedGrid, Spot
from modules.jobs.kinds.registry import read_resolved
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.options import Settings
from tests.jobs.kinds.grid.made_grids import plot
from tests.jobs.made_jobs import HASH, resolved_job


def cell(x: int, y: int = 0, model: str = HASH, **changes: Any) -> Cell:
    return Cell(place=(x, y, 0), drawn=resolved_job(checkpoint_hash=model, **changes))


def resolved(*cells: Cell) -> ResolvedGrid:
    layout = Layout(script="X/Y/Z plot", x=Axis(label="Steps", values=("Steps: 1", "Steps: 2")), margin=4)
    return ResolvedGrid.of(layout, cells, cells[0].drawn.saving)


def in_row(grid: ResolvedGrid) -> Any:
    return json.loads(json.dumps(grid.model_dump(mode="json")))


def test_a_row_gives_back_all_cells() -> None:
    cells = (cell(0), cell(1, steps=7, prompt="blue"), cell(0, 1, seed=2**62, batch_size=3, environment={"a": "b"}))
    again = read_resolved("grid", in_row(resolved(*cells)))
    assert isinstance(again, ResolvedGrid) and again.cells == cells
    assert again == resolved(*cells)


def test_the_row_of_400_cells_is_small() -> None:
    cells = [cell(x, y, seed=x, steps=y + 1) for y in range(20) for x in range(20)]
    assert len(json.dumps(in_row(resolved(*cells)))) < 50_000


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ({"a": 1, "b": [1, {"c": 2}]}, {"a": 1, "b": [1, {"c": 3}]}),
        ({"a": {"b": 1}}, {"a": {"c": 1}}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": None}, {"a": {"b": None}}),
        ({"a": {"b": [1, 2], "c": 3}}, {"a": {"b": [2, 1], "c": 4}}),
    ],
)
def test_changes_make_the_other_and_leave_the_first(first: dict[str, Any], other: dict[str, Any]) -> None:
    before = json.dumps(first)
    made = with_changes(first, tuple(changes_from(first, other)))
    assert json.dumps(made) == json.dumps(other) and json.dumps(first) == before


def test_pictures_are_counted_through_all_cells() -> None:
    grid = resolved(cell(0, batch_size=2, n_iter=2), cell(1, seed=5, width=64), cell(2, n_iter=3, seed=7))
    assert (grid.image_count, grid.counts) == (8, (4, 1, 3))
    assert [grid.spot_of(index) for index in (0, 3, 4, 5, 7)] == [
        Spot(0, 0), Spot(0, 3), Spot(1, 0), Spot(2, 0), Spot(2, 2),
    ]  # fmt: skip
    assert [grid.first_of(number) for number in range(3)] == [0, 4, 5]
    assert resolved(cell(1), cell(0, 1, n_iter=2), cell(0)).by_place() == [3, 0, 1, 2]
    assert grid.seed_of(6) == 8 and grid.size_of(4) == (64, 768)
    for index in (-1, 8):
        with pytest.raises(IndexError):
            grid.spot_of(index)


def test_a_picture_is_what_its_cell_alone_would_have_made() -> None:
    grid, alone = resolved(cell(0), cell(1, seed=5, n_iter=2)), cell(1, seed=5, n_iter=2).drawn
    assert GRID.picture(grid, 2) == TXT2IMG.picture(alone, 1)
    assert GRID.infotext(grid, 2) == TXT2IMG.infotext(alone, 1)


def test_what_is_told_of_it_is_the_first_cell_and_all_places() -> None:
    told = GRID.told(resolved(cell(0), cell(1, seed=5), cell(1, 1, n_iter=2)))
    assert told["grid"]["script"] == "X/Y/Z plot" and told["grid"]["margin"] == 4
    assert told["grid"]["axes"][0] == {"label": "Steps", "values": ["Steps: 1", "Steps: 2"]}
    assert told["places"] == [[0, 0, 0], [1, 0, 0], [1, 1, 0]] and told["cells"] == [1, 1, 2]
    assert told["seed"] == 1000 and json.dumps(told)
    assert GRID.told(resolved(cell(0, n_iter=2), cell(1, n_iter=2)))["cells"] == 2
    for has_sheet in (True, False):
        of_script = Layout(script="", has_sheet=has_sheet)
        grid = ResolvedGrid.of(of_script, [cell(0)], cell(0).drawn.saving)
        assert GRID.told(grid)["grid"]["has_sheet"] is has_sheet


def test_cells_of_a_model_follow_each_other() -> None:
    one, two = "1" * 64, "2" * 64
    cells = [cell(x, y, (one, two)[x], steps=y + 1) for y in range(3) for x in range(2)]
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [drawn.place[:2] for drawn in in_drawing_order(cells)] == places
    assert [drawn.place[:2] for drawn in in_drawing_order(cells, loaded=two)] == places[3:] + places[:3]
    assert [drawn.place[:2] for drawn in in_drawing_order(cells, loaded="3" * 64)] == places


def test_cells_with_the_same_files_beside_their_model_follow_each_other() -> None:
    def beside(x: int, file: str) -> Cell:
        parts = {"text_encoder": Source(name=file, hash=file * 64)}
        return with_source(cell(x), "checkpoint", Source(name="flux", hash=HASH, parts=parts))

    cells = [beside(x, "ab"[x % 2]) for x in range(4)]
    assert [one.place[0] for one in in_drawing_order(cells)] == [0, 2, 1, 3]


def with_source(one: Cell, name: str, value: Any) -> Cell:
    sources = one.drawn.sources.model_copy(update={name: value})
    return one.model_copy(update={"drawn": one.drawn.model_copy(update={"sources": sources})})


def test_the_vae_changes_before_the_loras_do() -> None:
    vaes = (None, Source(name="v", hash=HASH))
    cells = [with_source(cell(x, y, prompt=f"<lora:a:{y}>"), "vae", vaes[x]) for y in range(2) for x in range(2)]
    cells = [one.model_copy(update={"drawn": syntax(one.drawn)}) for one in [*cells, cells[0]]]
    assert [one.place[:2] for one in in_drawing_order(cells)] == [(0, 0), (0, 0), (0, 1), (1, 0), (1, 1)]


def syntax(job: ResolvedJob) -> ResolvedJob:
    return job.model_copy(update={"words": job.words.model_copy(update={"syntax": "a1111"})})


def test_a_layout_tells_the_seeds_that_were_drawn() -> None:
    request = plot(x_type="Seed", x_values="-1,7", y_type="Steps", y_values="1-2", vary_seeds_y=True)
    seeds = {(0, 0): 50, (1, 0): 7, (0, 1): 51, (1, 1): 8}
    cells = [Cell(place=(x, y, 0), drawn=resolved_job(seed=seed)) for (x, y), seed in seeds.items()]
    layout = request.resolved(cells, Settings()).layout
    assert layout.x.values == ("Seed: 50", "Seed: 7") and layout.y.values == ("Steps: 1", "Steps: 2")
    assert layout.pairs["Fixed X Values"] == "50, 7" and layout.pairs["X Values"] == "-1,7"
    varied = plot(x_type="Var. seed", x_values="-1,7", fields={"subseed_strength": 0.5})
    jobs = [resolved_job().model_copy(update={"variation": Variation(seed=seed, strength=0.5)}) for seed in (60, 7)]
    drawn = [Cell(place=(x, 0, 0), drawn=job) for x, job in enumerate(jobs)]
    assert varied.resolved(drawn, Settings()).layout.x.values == ("Var. seed: 60", "Var. seed: 7")
    # A cell that cannot be drawn is left out, and its neighbours have its seed.
    assert request.resolved(cells[1:], Settings()).layout == layout
