"""POST txt2img and img2img with script_name and script_args, as A1111's clients send them."""

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import PngImagePlugin

from tests.api.conftest import FakeEngine, plain_png

SMALL: dict[str, Any] = {"prompt": "red cat", "seed": 7, "steps": 3, "width": 64, "height": 64}
PLOT: dict[str, Any] = {
    "script_name": "X/Y/Z plot",
    "script_args": [4, "2,1", "", 7, "cat, dog", "", 0, "", "", True, True],
}


async def posted(client: httpx.AsyncClient, kind: str = "txt2img", **body: Any) -> tuple[Any, dict[str, Any]]:
    answer = await client.post(f"/sdapi/v1/{kind}", json=SMALL | body)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    return content, json.loads(content["info"])


async def test_a_plot_gives_its_pictures_in_the_order_of_their_places(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    content, info = await posted(client, **PLOT)
    assert info["all_prompts"] == ["red cat", "red cat", "red dog", "red dog"] and info["all_seeds"] == [7] * 4
    assert info["index_of_first_image"] == 1 and len(content["images"]) == len(info["infotexts"]) == 5
    sheet = PngImagePlugin.PngImageFile(io.BytesIO(base64.b64decode(content["images"][0])))
    assert sheet.width > 2 * 64 and sheet.height > 2 * 64 and sheet.text["parameters"] == info["infotexts"][0]
    assert "Script: X/Y/Z plot, X Type: Steps" in info["infotexts"][0]
    lone = info["infotexts"][1:]
    assert [text.split("\n") for text in lone] == [
        ["red cat", "Steps: 2, Seed: 7"], ["red cat", "Steps: 1, Seed: 7"],
        ["red dog", "Steps: 2, Seed: 7"], ["red dog", "Steps: 1, Seed: 7"],
    ]  # fmt: skip
    assert content["parameters"]["script"] == "X/Y/Z plot" and content["parameters"]["steps"] == 3


async def test_a_plot_gives_its_sheet_alone_unless_more_is_wanted(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    arguments = {"x_type": "Steps", "x_values": "1,2", "z_type": "Seed", "z_values": "5,6,7"}
    content, info = await posted(client, script_name="X/Y/Z plot", script_args=arguments)
    assert len(content["images"]) == len(info["infotexts"]) == 1 and len(info["all_seeds"]) == 6
    arguments["include_sub_grids"] = "true"
    content, info = await posted(client, script_name="X/Y/Z plot", script_args=arguments)
    assert len(content["images"]) == info["index_of_first_image"] == 4
    assert "Seed: 7" in info["infotexts"][3] and "Z Type" not in info["infotexts"][3]


async def test_prompts_from_a_text_give_their_pictures_alone(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    arguments = {"prompt_txt": "one\n--prompt two --seed 30 --n_iter 2"}
    content, info = await posted(
        client, prompt="", script_name="prompts from file or textbox", script_args=arguments, n_iter=1
    )
    assert len(content["images"]) == 3 and info["index_of_first_image"] == 0
    assert info["all_prompts"] == ["one", "two", "two"] and info["all_seeds"] == [7, 30, 31]


async def test_a_matrix_of_pictures_is_drawn_by_img2img(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    picture = base64.b64encode(plain_png(1, 64, 64, "")).decode()
    matrix = {"script_name": "Prompt matrix", "prompt": "a|b", "init_images": [picture]}
    content, info = await posted(client, "img2img", **matrix)
    assert info["all_prompts"] == ["a", "a, b"]
    assert content["parameters"]["init_images"] is None and content["parameters"]["of"] == "img2img"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"script_name": "Loopback"}, "script_name", 'Script "Loopback" not found'),
        (PLOT | {"script_args": [4, "0"]}, "script_args.x_values", "Steps 0 is not possible: use 1 to 150."),
        (PLOT | {"script_args": [4, "1-1000000000"]}, "script_args.x_values", "has 1,000,000,000 values"),
        (PLOT | {"script_args": ["Checkpoint name", "gone"]}, "script_args.x_values", "'gone' is not known"),
    ],
)
async def test_what_is_wrong_with_a_script_is_a_422_at_its_argument(
    client: httpx.AsyncClient, body: dict[str, Any], field: str, words: str
) -> None:
    answer = await client.post("/sdapi/v1/txt2img", json=SMALL | body)
    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert ".".join(str(part) for part in detail["loc"][1:]) == field and words in detail["msg"]
    assert (await client.get("/sdapi/v1/jobs")).json()["jobs"] == []
