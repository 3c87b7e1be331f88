"""The button Save: a copy of a picture that stays, and a line in log.csv."""

from __future__ import annotations

import csv

import httpx

from modules.api.services import Services
from tests.api.conftest import FakeEngine
from tests.api.jobs.test_deletion import drawn
from tests.api.jobs.test_routes import JOBS


async def test_a_picture_is_kept_when_its_job_is_gone(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine
) -> None:
    job = await drawn(client, services, "a", prompt="a {cat|cat}", seed=5, n_iter=2)
    data = (await client.get(job["outputs"][1]["url"])).content
    answer = await client.post(f"{JOBS}/a/images/1/save")
    assert answer.json() == {"name": "outputs/saved/00001-6.png", "new": True}
    assert (await client.post(f"{JOBS}/a/images/1/save")).json()["new"] is False
    services.options.update({"outdir_save": "outputs/best", "save_write_log_csv": False})
    assert (await client.post(f"{JOBS}/a/images/0/save")).json() == {"name": "outputs/best/00000-5.png", "new": True}
    for index, status in ((2, 404), ("x", 404)):
        assert (await client.post(f"{JOBS}/a/images/{index}/save")).status_code == status
    await client.delete(f"{JOBS}/a", params={"files": True})
    assert (await client.post(f"{JOBS}/a/images/1/save")).status_code == 404
    saved = services.folder.outputs / "saved"
    assert (saved / "00001-6.png").read_bytes() == data
    assert not (services.folder.outputs / "best" / "log.csv").exists()
    with (saved / "log.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["prompt"], row["seed"], row["filename"]) == ("a cat", "6", "00001-6.png")
    assert (row["width"], row["height"], row["sd_model_name"], len(row["sd_model_hash"])) == ("64", "64", "emoji", 10)
