"""Cards of LoRAs and embeddings: what a click puts into the prompt, what is written of them, and their pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.api.models.pictures import card_picture
from modules.api.services import Services
from tests.api.conftest import FakeEngine
from tests.jobs.made_files import write_file
from tests.jobs.made_library import picture
from tests.jobs.made_networks import make_embedding, make_lora, make_pair
from tests.jobs.made_unets import sd1

MODELS = "/sdapi/v1/models"


@pytest.fixture
def place(services: Services) -> Path:
    models = services.catalogue.folders[0]
    frequency = json.dumps({"5_ink": {"ink splash": 9}})
    make_lora(models / "Lora" / "ink.safetensors", metadata={"ss_output_name": "Ink v2", "ss_tag_frequency": frequency})
    make_lora(models / "Lora" / "sub" / "ink.safetensors", rank=8, metadata={"modelspec.trigger_phrase": "oil paint"})
    make_lora(models / "Lora" / "papercut.safetensors", width=2048)
    make_embedding(models / "embeddings" / "EasyNegative.safetensors", vectors=8)
    make_pair(models / "embeddings" / "forXL.safetensors")
    write_file(models / "Stable-diffusion" / "dream.safetensors", sd1())
    side_car = {"activation text": "splash", "preferred weight": "0.7", "negative text": "photo", "sd version": "SD1"}
    (models / "Lora" / "ink.json").write_text(json.dumps(side_car))
    services.catalogue.refresh()
    return models


async def cards(client: httpx.AsyncClient, **query: Any) -> dict[str, dict[str, Any]]:
    answer = await client.get(MODELS, params=query)
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["models"]}


async def test_a_card_says_what_a_click_puts_into_the_prompt(
    client: httpx.AsyncClient, services: Services, place: Path
) -> None:
    found = await cards(client, kind="lora")
    ink = found["ink.safetensors"]
    assert {name: ink[name] for name in (
        "call", "alias", "algorithm", "rank", "vectors", "tags", "trigger", "negative_text", "suggested_weight",
        "sd_version", "insert", "insert_negative", "network_hash",
    )} == {
        "call": "Ink v2", "alias": "Ink v2", "algorithm": "LoRA", "rank": 4, "vectors": None,
        "tags": [["ink splash", 9]], "trigger": "", "negative_text": "photo", "suggested_weight": 0.7,
        "sd_version": "SD1", "insert": "<lora:Ink v2:0.7> splash", "insert_negative": "photo", "network_hash": None,
    }  # fmt: skip
    assert found["sub/ink.safetensors"]["insert"] == "<lora:sub/ink:1> oil paint"
    services.options.update({"lora_preferred_name": "Filename", "extra_networks_default_multiplier": 0.8})
    by_file = await cards(client, kind="lora")
    assert [one["insert"] for one in by_file.values()] == [
        "<lora:ink:0.7> splash", "<lora:papercut:0.8>", "<lora:sub/ink:0.8> oil paint"
    ]  # fmt: skip
    words = (await cards(client, kind="embedding"))["EasyNegative.safetensors"]
    assert (words["insert"], words["vectors"], words["family_label"]) == ("EasyNegative", 8, "Stable Diffusion 1.x")
    assert "insert" not in (await cards(client))["emoji"]
    file = services.catalogue.files.hashed(services.catalogue.files.find("lora", "papercut"))
    hashed = (await cards(client, text="papercut"))["papercut.safetensors"]
    assert file.content_hash and hashed["network_hash"] == file.content_hash[:12]


async def test_they_are_searched_by_alias_and_by_the_model_that_they_go_with(
    client: httpx.AsyncClient, place: Path
) -> None:
    assert list(await cards(client, text="ink V2")) == ["ink.safetensors"]
    assert list(await cards(client, text="oil paint")) == ["sub/ink.safetensors"]
    answer = (await client.get(MODELS, params={"fits": "dream.safetensors", "kind": "lora"})).json()
    assert [one["name"] for one in answer["models"]] == ["ink.safetensors", "sub/ink.safetensors"]
    assert {one["name"]: one["count"] for one in answer["kinds"]} == {"checkpoint": 2, "lora": 2, "embedding": 1}
    unknown = await client.get(MODELS, params={"fits": "gone"})
    assert unknown.status_code == 422


async def test_a_weight_and_other_words_go_into_a1111s_side_car(client: httpx.AsyncClient, place: Path) -> None:
    ink = (await cards(client, kind="lora"))["ink.safetensors"]
    sent = {"suggested_weight": 0.45, "negative_text": "blurry", "sd_version": "SDXL"}
    assert (await client.post(f"{MODELS}/{ink['id']}/notes", json=sent)).status_code == 200
    assert json.loads((place / "Lora" / "ink.json").read_text()) == {
        "activation text": "splash", "preferred weight": 0.45, "negative text": "blurry", "sd version": "SDXL",
    }  # fmt: skip
    assert (await cards(client, kind="lora"))["ink.safetensors"]["insert"] == "<lora:Ink v2:0.45> splash"
    for weight in ("much", 11, True, [1]):
        answer = await client.post(f"{MODELS}/{ink['id']}/notes", json={"suggested_weight": weight})
        assert answer.status_code == 422, weight
    assert (await client.post(f"{MODELS}/{ink['id']}/notes", json={"suggested_weight": None})).status_code == 200
    assert (await cards(client, kind="lora"))["ink.safetensors"]["suggested_weight"] is None


async def test_a_picture_of_a_job_becomes_the_card_of_a_model(
    client: httpx.AsyncClient, services: Services, place: Path, engine: FakeEngine
) -> None:
    (place / "Lora" / "ink.png").write_bytes(picture(20))
    ink = (await cards(client, kind="lora"))["ink.safetensors"]
    drawn = {"prompt": "cat", "width": 64, "height": 64, "batch_size": 2, "force_task_id": "cats"}
    assert (await client.post("/sdapi/v1/txt2img", json=drawn)).status_code == 200
    path = f"{MODELS}/{ink['id']}/picture"
    assert (await client.post(path, json={"job": "cats", "index": 1})).json() == {}
    (file,) = (one for one in services.store.jobs.images("cats") if one.index == 1)
    assert (place / "Lora" / "ink.preview.png").read_bytes() == (services.folder.root / file.name).read_bytes()
    assert (place / "Lora" / "ink.png").exists()
    now = (await cards(client, kind="lora"))["ink.safetensors"]
    assert now["preview"] != ink["preview"]
    assert Image.open(io.BytesIO((await client.get(now["preview"])).content)).size == (64, 64)
    for body, status in (
        ({"job": "cats", "index": 9}, 404),
        ({"job": "../x"}, 404),
        ({}, 422),
        ({"job": "cats", "index": "0"}, 422),
    ):
        assert (await client.post(path, json=body)).status_code == status, body
    assert services.store.audit.rows()[0].action == "model-picture"


def test_a_large_picture_is_made_smaller_and_keeps_its_infotext(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text("parameters", "cat\nSteps: 2")
    Image.new("RGB", (2048, 1024), "red").save(tmp_path / "large.png", pnginfo=text)
    small = Image.open(io.BytesIO(card_picture(tmp_path / "large.png")))
    assert (small.size, small.format, small.info["parameters"]) == ((1024, 512), "PNG", "cat\nSteps: 2")
