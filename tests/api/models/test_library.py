"""The models over REST: listed, searched, annotated, renamed, thrown away and brought back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from modules.api.services import Services
from tests.api.conftest import FakeEngine
from tests.jobs.made_library import make_library, picture
from tests.jobs.made_models import safetensors_bytes

MODELS = "/sdapi/v1/models"
TRASH = "/sdapi/v1/model-trash"


@pytest.fixture
def place(services: Services) -> Path:
    folder = services.catalogue.folders[0] / "Stable-diffusion"
    (folder / "sub").mkdir()
    for name, byte in (("Dream", 1), ("sub/ink", 2), ("plain", 3)):
        (folder / f"{name}.safetensors").write_bytes(safetensors_bytes(bytes([byte]) * 4 * byte))
    (folder / "Dream.preview.png").write_bytes(picture(20, side=900))
    (folder / "Dream.json").write_text(json.dumps({"notes": "old", "activation text": "glow", "vae": "some.pt"}))
    (folder / "sub" / "keeps.txt").write_text("no model")
    (folder / "Dream.v2.safetensors").write_bytes(safetensors_bytes(b"\7" * 16))
    services.catalogue.refresh()
    return folder


async def listed(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get(MODELS, params=query)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


async def one(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    models = (await listed(client))["models"]
    model: dict[str, Any] = next(one for one in models if one["name"] == name)
    return model


def names(content: dict[str, Any]) -> list[str]:
    return [model["name"] for model in content["models"]]


async def test_a_page_of_the_list_is_what_was_asked_for(client: httpx.AsyncClient, place: Path) -> None:
    everything = await listed(client)
    assert names(everything) == [
        "Dream.safetensors", "Dream.v2.safetensors", "emoji", "plain.safetensors", "sub/ink.safetensors",
    ]  # fmt: skip
    assert everything["total"] == 5
    assert {one["name"]: one["count"] for one in everything["kinds"]} == {"checkpoint": 5}
    assert sum(one["count"] for one in everything["families"]) == 5
    assert names(await listed(client, text="SAFE dream")) == ["Dream.safetensors", "Dream.v2.safetensors"]
    assert names(await listed(client, text="e", kind="checkpoint", sort="name", descending=True))[-1] == (
        "Dream.safetensors"
    )
    page = await listed(client, sort="name", descending=True, limit=2, offset=1)
    assert names(page) == ["plain.safetensors", "emoji"]
    assert page["total"] == 5
    files = [model for model in (await listed(client, sort="size"))["models"] if model["name"] != "emoji"]
    assert [model["size_bytes"] for model in files] == sorted(model["size_bytes"] for model in files)
    assert (await listed(client, family="no such family"))["total"] == 0
    for query in ({"sort": "colour"}, {"limit": 201}, {"offset": -1}):
        assert (await client.get(MODELS, params=query)).status_code == 422


async def test_a_card_tells_what_lies_beside_the_model(client: httpx.AsyncClient, place: Path) -> None:
    dream = await one(client, "Dream.safetensors")
    assert (dream["notes"], dream["activation_text"]) == ("old", "glow")
    assert (await one(client, "Dream.v2.safetensors"))["preview"] is None, "Dream.v2 is no side-car and has none"
    small = await client.get(dream["preview"])
    assert (small.headers["content-type"], small.headers["cache-control"]) == (
        "image/webp",
        "private, max-age=31536000, immutable",
    )
    assert max(Image.open(io.BytesIO(small.content)).size) == 480
    (place / "plain.png").write_bytes(b"<script>alert(1)</script>")
    plain = await one(client, "plain.safetensors")
    assert (await client.get(plain["preview"])).status_code == 404
    (place / "Dream.preview.png").write_bytes(picture(90))
    assert (await one(client, "Dream.safetensors"))["preview"] != dream["preview"]


async def test_notes_go_into_the_side_car_and_all_else_in_it_stays(client: httpx.AsyncClient, place: Path) -> None:
    dream = await one(client, "Dream.safetensors")
    path = f"{MODELS}/{dream['id']}/notes"
    assert (await client.post(path, json={"notes": "new ☃", "activation_text": "ink"})).status_code == 200
    told = json.loads((place / "Dream.json").read_text())
    assert told == {"notes": "new ☃", "activation text": "ink", "vae": "some.pt"}
    assert (await one(client, "Dream.safetensors"))["notes"] == "new ☃"
    (place / "Dream.json").write_text('{"notes": "half of')
    refused = await client.post(path, json={"notes": "x"})
    assert refused.status_code == 409
    assert "Dream.json is not valid JSON: repair it" in refused.json()["errors"]
    assert (place / "Dream.json").read_text() == '{"notes": "half of'
    for body in ({}, {"notes": 1}, {"notes": "x" * 20_001}):
        assert (await client.post(path, json=body)).status_code == 422


async def test_a_model_is_renamed_with_all_that_is_its_own(client: httpx.AsyncClient, place: Path) -> None:
    dream = await one(client, "Dream.safetensors")
    path = f"{MODELS}/{dream['id']}/rename"
    assert (await client.post(path, json={"name": "Night.safetensors"})).json() == {"name": "Night.safetensors"}
    left = sorted(file.name for file in place.iterdir() if file.is_file())
    assert left == ["Dream.v2.safetensors", "Night.json", "Night.preview.png", "Night.safetensors", "plain.safetensors"]
    assert (await one(client, "Night.safetensors"))["notes"] == "old"
    assert (await client.post(path, json={"name": "again"})).status_code == 404, "its id was that of the old name"
    ink = await one(client, "sub/ink.safetensors")
    answer = await client.post(f"{MODELS}/{ink['id']}/rename", json={"name": "tusche"})
    assert answer.json() == {"name": "sub/tusche.safetensors"}


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "a\\b", "a:b", ".hidden", "", " ", "con", "x" * 200, "a\0b", 7, "a.vae"]
)
async def test_a_name_that_leads_elsewhere_or_fits_nowhere_is_refused(
    client: httpx.AsyncClient, place: Path, name: Any
) -> None:
    plain = await one(client, "plain.safetensors")
    answer = await client.post(f"{MODELS}/{plain['id']}/rename", json={"name": name})
    assert answer.status_code == 422
    assert (place / "plain.safetensors").exists()


async def test_nothing_is_written_over(client: httpx.AsyncClient, place: Path) -> None:
    (place / "plain.txt").write_text("mine")
    (place / "night.txt").write_text("somebody's")
    plain = await one(client, "plain.safetensors")
    for name, there in (("Dream", "Dream.safetensors"), ("night", "night.txt")):
        answer = await client.post(f"{MODELS}/{plain['id']}/rename", json={"name": name})
        assert (answer.status_code, answer.json()["errors"]) == (
            409,
            f"{there} is there already: choose another name.",
        )
    assert (place / "night.txt").read_text() == "somebody's"
    assert (place / "plain.txt").read_text() == "mine"


async def test_what_is_deleted_comes_back_until_the_trash_is_emptied(client: httpx.AsyncClient, place: Path) -> None:
    before = (place / "Dream.safetensors").read_bytes()
    dream, ink, emoji = [await one(client, name) for name in ("Dream.safetensors", "sub/ink.safetensors", "emoji")]
    for model in (dream, ink, emoji):
        assert (await client.delete(f"{MODELS}/{model['id']}")).status_code == 200
    assert names(await listed(client)) == ["Dream.v2.safetensors", "plain.safetensors", "sub"]
    assert not (place / "Dream.json").exists()
    assert (await client.get(dream["preview"])).status_code == 404
    trash = {one["name"]: one for one in (await client.get(TRASH)).json()}
    assert set(trash) == {"Dream.safetensors", "sub/ink.safetensors", "emoji"}
    for name in ("Dream.safetensors", "sub/ink.safetensors"):
        assert (await client.post(f"{TRASH}/{trash[name]['id']}/restore")).json() == {"name": name}
    assert (place / "Dream.safetensors").read_bytes() == before
    assert (await one(client, "Dream.safetensors"))["notes"] == "old"
    assert (await client.delete(TRASH)).json() == {"deleted": 1}
    assert (await client.get(TRASH)).json() == []
    assert not (place / "emoji").exists()
    assert (await client.post(f"{TRASH}/{trash['emoji']['id']}/restore")).status_code == 404


async def test_the_trash_writes_over_nothing_and_leads_nowhere_else(client: httpx.AsyncClient, place: Path) -> None:
    plain = await one(client, "plain.safetensors")
    thrown = (await client.delete(f"{MODELS}/{plain['id']}")).json()["trash_id"]
    (place / "plain.safetensors").write_bytes(b"another")
    answer = await client.post(f"{TRASH}/{thrown}/restore")
    assert answer.status_code == 409
    assert (place / "plain.safetensors").read_bytes() == b"another"
    (place / "plain.safetensors").unlink()
    manifest = place / ".trash" / thrown / "deleted.json"
    told = json.loads(manifest.read_text())
    elsewhere: list[dict[str, Any]] = [{"origin": "../.."}, {"origin": "/tmp"}, {"files": ["../x"]}, {"files": []}]
    for evil in elsewhere:
        manifest.write_text(json.dumps(told | evil))
        assert (await client.post(f"{TRASH}/{thrown}/restore")).status_code == 404
    manifest.write_text(json.dumps(told))
    assert (await client.post(f"{TRASH}/{thrown}/restore")).status_code == 200


async def test_a_model_stays_while_a_job_draws_with_it(
    client: httpx.AsyncClient, services: Services, place: Path, engine: FakeEngine
) -> None:
    engine.go.clear()
    body = {"request": {"prompt": "plain"}}
    job = (await client.post("/sdapi/v1/jobs", json=body)).json()["id"]
    emoji, plain = await one(client, "emoji"), await one(client, "plain.safetensors")
    for answer in (
        await client.delete(f"{MODELS}/{emoji['id']}"),
        await client.post(f"{MODELS}/{emoji['id']}/rename", json={"name": "other"}),
    ):
        assert answer.status_code == 409
        assert f"job {job} (queued) draws with it" in answer.json()["errors"]
    answer = await client.post(f"{MODELS}/{plain['id']}/rename", json={"name": "other"})
    assert answer.status_code == 200, "a word in a prompt is no model"
    await client.post(f"/sdapi/v1/jobs/{job}/interrupt")
    services.options.update({"sd_model_checkpoint": "emoji"})
    assert (await client.post(f"{MODELS}/{emoji['id']}/rename", json={"name": "smileys"})).status_code == 200
    assert services.options.values.sd_model_checkpoint == "smileys", "the choice stays with the model"


async def test_many_are_listed_a_page_at_a_time(client: httpx.AsyncClient, services: Services) -> None:
    make_library(services.catalogue.folders[0], 60)
    services.catalogue.refresh()
    first, second = await listed(client, limit=40), await listed(client, limit=40, offset=40)
    assert (len(first["models"]), len(second["models"]), first["total"]) == (40, 25, 65)
    assert not {one["id"] for one in first["models"]} & {one["id"] for one in second["models"]}
    cut = [one for one in first["models"] + second["models"] if "is cut short" in (one["problem"] or "")]
    assert cut, "what is wrong with a file is told with it"
