"""The sheets of a grid, as clients and the page get them: whole, in part, and while it is drawn."""

import asyncio
import base64
import io
import threading
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.Image import Image as PilImage

from modules.api.jobs import sheets
from modules.api.services import Services
from modules.images.infotext import parse_pairs
from modules.images.sheets import compose
from tests.api.conftest import FakeEngine, plain_png, until
from tests.api.jobs.test_routes import JOBS

PLOT: dict[str, Any] = {
    "of": "txt2img", "script": "X/Y/Z plot", "prompt": "a cat", "seed": 5, "width": 64, "height": 64,
    "script_args": {
        "x_type": "Steps", "x_values": "2,3", "z_type": "CFG Scale", "z_values": "1,2", "draw_legend": False,
    },
}  # fmt: skip


def picture_of(answer: httpx.Response) -> Image.Image:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    return Image.open(io.BytesIO(answer.content))


async def test_the_sheet_grows_while_the_grid_is_drawn_and_says_how_it_was_made(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine
) -> None:
    assert (await client.get(f"{JOBS}/a/sheet.png")).status_code == 404
    engine.go.clear()
    await client.post(JOBS, json={"kind": "grid", "request": PLOT, "id": "a"})
    refused = await client.get(f"{JOBS}/a/sheet.png")
    assert refused.status_code == 404 and "was not begun yet" in refused.json()["detail"]
    job = services.store.claims.claim("fake")
    assert job is not None
    resolved = engine.resolve(job)
    services.store.claims.set_resolved("a", resolved.model_dump(mode="json"))
    for index in range(3):
        engine.draw_image(job, resolved, index)
    partly = await client.get(f"{JOBS}/a/sheet.png")
    sheet = picture_of(partly)
    assert sheet.size == (128, 128)
    assert sheet.getpixel((96, 96)) == (0xDD, 0xDD, 0xDD) != sheet.getpixel((32, 96))
    pairs = parse_pairs(sheet.info["parameters"])
    assert (pairs["Script"], pairs["X Type"], pairs["X Values"], pairs["Z Values"]) == (
        "X/Y/Z plot", "Steps", "2,3", "1,2",
    )  # fmt: skip
    known = {"If-None-Match": partly.headers["etag"]}
    assert (await client.get(f"{JOBS}/a/sheet.png", headers=known)).status_code == 304
    engine.draw_image(job, resolved, 3)
    assert picture_of(await client.get(f"{JOBS}/a/sheet.png", headers=known)).getpixel((96, 96)) != (0xDD, 0xDD, 0xDD)
    second = picture_of(await client.get(f"{JOBS}/a/sheet/1.png"))
    assert second.size == (128, 64) and "Z Values" not in parse_pairs(second.info["parameters"])
    missing = await client.get(f"{JOBS}/a/sheet/2.png")
    assert missing.status_code == 404 and "it has 2" in missing.json()["detail"]


async def test_several_pictures_of_another_job_have_one_as_a1111_lays_them_out(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id, count in (("one", 1), ("five", 5)):
        asked = {"prompt": "x", "n_iter": count, "seed": 7, "width": 64, "height": 64}
        await client.post(JOBS, json={"kind": "txt2img", "request": asked, "id": id})
        await until(lambda id=id: (job := services.store.jobs.get(id)) is not None and job.finished)  # type: ignore[misc]
    assert (await client.get(f"{JOBS}/one/sheet.png")).status_code == 404
    assert (await client.get(f"{JOBS}/five/sheet/1.png")).status_code == 404
    answer = await client.get(f"{JOBS}/five/sheet.png")
    sheet = picture_of(answer)
    assert sheet.size == (192, 128) and sheet.info["parameters"].startswith("x\nSteps")
    assert [sheet.getpixel((32 + 64 * column, 32)) for column in range(3)] == [(seed, 40, 90) for seed in (7, 8, 9)]
    assert sheet.getpixel((160, 96)) == (0, 0, 0)
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get(f"{JOBS}/five/sheet.png", headers=known)).status_code == 304
    services.options.update({"n_rows": 5})
    monkeypatch.setattr(sheets, "MOST_PIXELS_SENT", 32 * 160)
    assert picture_of(await client.get(f"{JOBS}/five/sheet.png", headers=known)).size == (32, 160)


async def test_sheets_are_made_one_at_a_time_and_keep_none_but_sheets_waiting(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there are threads for all else: of the page, and before the answers of POST txt2img."""
    going, go = threading.Event(), threading.Event()
    made: list[int] = []

    def slow(*given: Any, **more: Any) -> PilImage:
        made.append(threading.get_ident())
        going.set()
        assert go.wait(30)
        return compose(*given, **more)

    monkeypatch.setattr(sheets, "compose", slow)
    request = {name: value for name, value in PLOT.items() if name not in ("of", "script")}
    posts = [client.post("/sdapi/v1/txt2img", json=request | {"script_name": PLOT["script"]}) for _ in range(9)]
    waiting = [asyncio.ensure_future(post) for post in posts]
    await until(lambda: going.is_set() and sum(job.status == "done" for job in services.store.jobs.page()[0]) == 9)
    id = services.store.jobs.page()[0][0].id
    waiting += [asyncio.ensure_future(client.get(f"{JOBS}/{id}/sheet.png")) for _ in range(2)]
    picture = base64.b64encode(plain_png(7, 8, 8, "")).decode()
    for other in (client.get(JOBS), client.post("/sdapi/v1/png-info", json={"image": picture})):
        assert (await asyncio.wait_for(other, 20)).status_code == 200
    assert len(made) == 1
    go.set()
    assert [one.status_code for one in await asyncio.gather(*waiting)] == [200] * 11
    assert (len(made), len(set(made))) == (11, 1)
