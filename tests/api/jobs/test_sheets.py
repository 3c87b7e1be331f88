"""The sheets of a grid, as clients and the page get them: whole, in part, and while it is drawn."""

import io

import httpx
from PIL import Image

from modules.api.services import Services
from modules.images.infotext import parse_pairs
from tests.api.conftest import FakeEngine, until
from tests.api.jobs.test_routes import JOBS

PLOT = {
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


async def test_what_is_no_grid_has_no_sheet(client: httpx.AsyncClient, engine: FakeEngine, services: Services) -> None:
    await client.post(JOBS, json={"kind": "txt2img", "request": {"prompt": "x"}, "id": "a"})
    await until(lambda: (job := services.store.jobs.get("a")) is not None and job.finished)
    assert (await client.get(f"{JOBS}/a/sheet.png")).status_code == 404
