"""The models of a grid's cells: each choice once, and names of which a part is enough."""

from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.jobs.kinds.choice import Choice
from modules.jobs.kinds.grid.cell_request import CellRequest
from modules.jobs.kinds.grid.choice import GridChoice
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.submission import check_request
from modules.options import Settings
from tests.jobs.kinds.grid.made_grids import grid, plot
from tests.jobs.made_models import make_model, make_vae

SETTINGS = Settings(sd_model_checkpoint="dream-one")


@pytest.fixture
def catalogue(tmp_path: Path) -> CheckpointCatalogue:
    for name in ("dream-one", "dream-two", "real"):
        make_model(tmp_path / "models" / "Stable-diffusion" / name)
    return CheckpointCatalogue([tmp_path / "models"])


def test_a_row_has_each_choice_once(catalogue: CheckpointCatalogue) -> None:
    request = plot(x_type="Checkpoint name", x_values="real, dream-two", y_type="Steps", y_values="1-3")
    choice = request.chosen(catalogue, SETTINGS)
    assert [one.checkpoint.name for one in choice.choices] == ["real", "dream-two"]
    assert choice.cells == (0, 1, 0, 1, 0, 1)
    assert choice.of_cell(3).checkpoint.name == "dream-two"
    assert GridChoice.in_row({"chosen": choice.model_dump(mode="json")}) == choice


def test_a_part_of_a_name_is_enough_where_one_model_has_it(catalogue: CheckpointCatalogue) -> None:
    choice = plot(x_type="Checkpoint name", x_values="TWO, eal").chosen(catalogue, SETTINGS)
    assert [one.checkpoint.name for one in choice.choices] == ["dream-two", "real"]
    refined = plot(x_type="Refiner checkpoint", x_values="None, two").chosen(catalogue, SETTINGS)
    assert [one.refiner and one.refiner.name for one in refined.choices] == [None, "dream-two"]
    lines = grid("Prompts from file or textbox", {}, {"prompt_txt": "a\n--prompt a --sd_model two"})
    assert [one.checkpoint.name for one in lines.chosen(catalogue, SETTINGS).choices] == ["dream-one", "dream-two"]
    hires = plot(fields={"enable_hr": True}, x_type="Hires checkpoint", x_values="two").chosen(catalogue, SETTINGS)
    assert [one.hires and one.hires.name for one in hires.choices] == ["dream-two"]


def test_a_whole_name_is_meant_though_it_is_a_part_of_others(tmp_path: Path, catalogue: CheckpointCatalogue) -> None:
    make_model(tmp_path / "models" / "Stable-diffusion" / "surreal")
    make_vae(tmp_path / "models" / "VAE" / "soft.safetensors")
    make_vae(tmp_path / "models" / "VAE" / "none-at-all.safetensors")
    catalogue.refresh()
    axes: dict[str, Any] = {
        "x_type": "Checkpoint name",
        "x_values": "real, two",
        "y_type": "VAE",
        "y_values": "None, sof",
    }
    choice = plot(**axes).chosen(catalogue, SETTINGS)
    assert [(one.checkpoint.name, one.vae and one.vae.name) for one in choice.choices] == [
        ("real", None), ("dream-two", None), ("real", "soft.safetensors"), ("dream-two", "soft.safetensors"),
    ]  # fmt: skip


def test_cells_that_differ_by_what_no_model_depends_on_are_asked_for_once(catalogue: CheckpointCatalogue) -> None:
    asked: list[CellRequest] = []
    request = plot(x_type="Seed", x_values="1-50", y_type="Steps", y_values="5,6", z_type="Styles", z_values="a,b")

    def choose(cell: CellRequest) -> Choice:
        asked.append(cell)
        return plot().cells()[0].request.chosen(catalogue, SETTINGS)

    choice = GridChoice.of(request.cells(), choose)
    assert [cell.place for cell in asked] == [(0, 0, 0), (0, 0, 1)]
    assert (len(choice.choices), choice.cells) == (1, (0,) * 200)


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("Checkpoint name", "real, dream", "X values: 'dream' could be dream-one, dream-two: write more of the name"),
        ("Checkpoint name", "real, gone", "X values: Checkpoint 'gone' is not known: use one of dream-one"),
        ("VAE", "gone", "X values: VAE 'gone' is not known"),
        ("Styles", "gone", "X values: .*'gone'"),
        ("Refiner checkpoint", "gone", "X values: Refiner 'gone' is not known"),
    ],
)
def test_a_model_that_is_not_there_is_told_at_its_axis(
    catalogue: CheckpointCatalogue, label: str, text: str, words: str
) -> None:
    row = plot(x_type=label, x_values=text).model_dump(mode="json")
    with pytest.raises(InvalidRequest, match=words) as refused:
        check_request("grid", row, catalogue, SETTINGS)
    assert refused.value.field == "script_args.x_values"


def test_all_that_prompts_can_become_is_counted(catalogue: CheckpointCatalogue) -> None:
    many = "{" + "|".join(map(str, range(100))) + "} cat"
    sent = {"prompt": many, "combinatorial": True, "script_name": "X/Y/Z plot"}
    few = sent | {"script_args": {"x_type": "Steps", "x_values": "1-100"}}
    check_request("txt2img", few, catalogue, SETTINGS)
    with pytest.raises(InvalidRequest, match="has 10,100 pictures: 10,000 are possible") as refused:
        check_request("txt2img", few | {"script_args": ["Steps", "1-101"]}, catalogue, SETTINGS)
    assert refused.value.field == "combinatorial"
    prompts = {"x_type": "Prompt", "x_values": f"cat, {many}", "y_type": "Steps", "y_values": "1-100"}
    with pytest.raises(InvalidRequest, match="has 10,100 pictures"):
        check_request("txt2img", sent | {"prompt": "cat", "script_args": prompts}, catalogue, SETTINGS)
