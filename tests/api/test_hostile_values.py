"""Values that no honest client sends are told of in words, and none is kept, sent on or answered with a 500."""

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.api.services import Services
from modules.options import fields_of_settings
from tests.api.jobs.test_routes import submit

HUGE = str(2**63)
DIGITS = "9" * 5000


@pytest.mark.parametrize(
    "path",
    [
        f"jobs?offset={HUGE}", f"jobs?limit={HUGE}", f"jobs?limit={DIGITS}", f"audit?before={HUGE}",
        f"audit?before=-{HUGE}", f"audit?limit={DIGITS}",
    ],
)  # fmt: skip
async def test_numbers_that_no_database_holds_are_a_422(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/sdapi/v1/{path}")
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("index", [DIGITS, HUGE, "-1", "1e3"])
async def test_an_index_that_no_picture_has_is_a_404(client: httpx.AsyncClient, index: str) -> None:
    for kind in (f"{index}.png", f"{index}/thumbnail"):
        assert (await client.get(f"/sdapi/v1/jobs/a/images/{kind}")).status_code == 404


@pytest.mark.parametrize("number", [DIGITS, HUGE, "-1", "x" * 5000])
async def test_an_event_that_never_was_is_a_422(client: httpx.AsyncClient, number: str) -> None:
    answer = await client.get("/sdapi/v1/events", headers={"Last-Event-ID": number})
    assert answer.status_code == 422
    assert len(answer.content) < 1000


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//[", "http://a]b"])
async def test_an_origin_that_cannot_be_read_is_a_foreign_one(client: httpx.AsyncClient, origin: str) -> None:
    assert (await client.post("/sdapi/v1/interrupt", headers={"Origin": origin})).status_code == 403


@pytest.mark.parametrize("credentials", [b"Basic \xff", b"Basic =", b"Basic " + base64.b64encode(b"\xff:x"), b"Basic"])
async def test_credentials_that_cannot_be_read_name_nobody(client: httpx.AsyncClient, credentials: bytes) -> None:
    answer = await client.post(
        "/sdapi/v1/jobs", json={"request": {}, "id": "a"}, headers={b"Authorization": credentials}
    )
    assert answer.status_code == 200
    assert (await client.get("/sdapi/v1/jobs/a")).json()["owner"] == "127.0.0.1"


@pytest.mark.parametrize("route", ["txt2img", "jobs", "options", "png-info", "queue/interrupt-waiting", "interrupt"])
async def test_a_body_that_goes_deep_is_a_422(client: httpx.AsyncClient, route: str) -> None:
    deep = "[" * 500 + "]" * 500
    body = f'{{"request": {{"override_settings": {{"a": {deep}}}}}, "override_settings": {{"a": {deep}}}}}'
    answer = await client.post(f"/sdapi/v1/{route}", content=body)
    assert answer.status_code == 422
    assert "nested more than 64 levels deep" in answer.json()["errors"]


async def test_a_large_body_of_small_values_is_not_even_read(client: httpx.AsyncClient) -> None:
    """64 MiB of empty lists would take more than a gigabyte."""
    answer = await client.post("/sdapi/v1/png-info", content=b'{"image": [' + b"[]," * 400_000 + b"0]}")
    assert answer.status_code == 422
    assert "more than 50,000 values" in answer.json()["errors"]


LONG = "x" * 50_000


@pytest.mark.parametrize("owner", [LONG, "a\0b", "line\nbreak", ["a"], 5, {"a": LONG}, "\u200e" * 3])
async def test_an_owner_is_a_short_name(client: httpx.AsyncClient, services: Services, owner: Any) -> None:
    for answer in (
        await client.post("/sdapi/v1/jobs", json={"request": {}, "owner": owner}),
        await client.post("/sdapi/v1/queue/interrupt-waiting", json={"owner": owner}),
    ):
        assert answer.status_code == 422
        assert "send a text of 1 to 200 printable characters" in answer.json()["errors"]
        assert len(answer.content) < 1000
    assert services.store.jobs.page() == ([], 0)


async def test_an_owner_in_a_header_is_cut(client: httpx.AsyncClient, services: Services) -> None:
    basic = base64.b64encode(f"{LONG}:secret".encode()).decode()
    for name, headers in (("a", {"x-steady-owner": LONG}), ("b", {"Authorization": f"Basic {basic}"})):
        answer = await client.post("/sdapi/v1/jobs", json={"request": {}, "id": name}, headers=headers)
        assert answer.status_code == 200
        job = services.store.jobs.get(name)
        assert job is not None and job.owner == "x" * 200


async def test_only_what_may_be_overridden_is_kept(client: httpx.AsyncClient, services: Services) -> None:
    await submit(client, "a", override_settings={"junk": LONG, "sd_model_checkpoint": "emoji", "samples_save": None})
    job = services.store.jobs.get("a")
    assert job is not None and job.request["override_settings"] == {"sd_model_checkpoint": "emoji"}


@pytest.mark.parametrize(
    "fields", [{"force_task_id": LONG}, {"force_task_id": ["a"]}, {"override_settings": {"sd_model_checkpoint": LONG}}]
)
async def test_what_would_be_kept_is_bounded(client: httpx.AsyncClient, services: Services, fields: Any) -> None:
    for answer in (
        await client.post("/sdapi/v1/jobs", json={"request": fields}),
        await client.post("/sdapi/v1/txt2img", json=fields),
    ):
        assert answer.status_code == 422
        assert len(answer.content) < 2000
    assert services.store.jobs.page() == ([], 0)


@pytest.mark.parametrize("name", [one.name for one in fields_of_settings() if one.type is str])
async def test_settings_are_bounded(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/sdapi/v1/options", json={name: LONG})
    assert answer.status_code == 422
    assert len((await client.get("/sdapi/v1/options")).content) < 10_000


def picture(**texts: str) -> str:
    chunks = PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG", pnginfo=chunks)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize(
    ("steady", "parameters"),
    [
        ('{"prompt": "half a \\ud800 pair"}', {"prompt": "half a \ud800 pair"}),
        ('{"seed": 99999999999999999999999}', {"seed": 99999999999999999999999}),
        ('{"steps": ' + "[" * 500 + "]" * 500 + "}", {}),
        ("[" * 100_000, {}),
    ],
)
async def test_what_a_picture_says_is_told_whatever_it_is(
    client: httpx.AsyncClient, steady: str, parameters: dict[str, Any]
) -> None:
    answer = await client.post("/sdapi/v1/png-info", json={"image": picture(steady=steady)})
    assert answer.status_code == 200
    assert json.loads(answer.text)["parameters"] == parameters


@pytest.mark.parametrize("image", ["\u00d5\u00c2", "\U0001f984", "====", "a" * 5])
async def test_what_is_no_base64_is_a_422(client: httpx.AsyncClient, image: str) -> None:
    answer = await client.post("/sdapi/v1/png-info", json={"image": image})
    assert answer.status_code == 422
    assert "base64" in answer.json()["errors"] or "cannot be read" in answer.json()["errors"]


async def test_an_infotext_with_a_seed_beyond_64_bits_is_read(client: httpx.AsyncClient) -> None:
    infotext = 'a cat\nSteps: 5, Seed: 99999999999999999999, Size: 64x64, Model: "half \\ud800"'
    answer = await client.post("/sdapi/v1/png-info", json={"image": picture(parameters=infotext)})
    assert answer.status_code == 200
    assert answer.json()["parameters"]["seed"] == 99999999999999999999
