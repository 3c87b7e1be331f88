"""All pictures of a job in one file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx

from modules.api.jobs.zip_file import PIECE, zipped
from modules.api.services import Services
from tests.api.conftest import FakeEngine
from tests.api.jobs.test_deletion import drawn
from tests.api.jobs.test_routes import JOBS


def test_the_files_come_whole_and_under_their_names(tmp_path: Path) -> None:
    paths = [tmp_path / f"0000{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        path.write_bytes(bytes([n]) * (PIECE + n))
    pieces = list(zipped([*paths, tmp_path / "gone.png"]))
    assert max(len(piece) for piece in pieces) < 2 * PIECE, "a file is never held whole, nor all of them"
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [path.name for path in paths]
        assert [archive.read(path.name) for path in paths] == [path.read_bytes() for path in paths]


async def test_a_job_is_saved_whole(client: httpx.AsyncClient, services: Services, engine: FakeEngine) -> None:
    job = await drawn(client, services, "a", n_iter=2, save_images=True)
    answer = await client.get(f"{JOBS}/a/images/all.zip")
    names = [output["name"] for output in job["outputs"]]
    assert answer.headers["content-disposition"] == f'attachment; filename="{names[0][:-4]}-and-1-more.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == names == sorted(path.name for path in Path(job["folder"]).iterdir())
        assert archive.read(names[1]) == (await client.get(job["outputs"][1]["url"])).content
    assert (await client.get(f"{JOBS}/never/images/all.zip")).status_code == 404
    for path in Path(job["folder"]).iterdir():
        path.unlink()
    assert (await client.get(f"{JOBS}/a/images/all.zip")).status_code == 404


async def test_cancelling_all_that_waits_can_leave_nothing(client: httpx.AsyncClient, services: Services) -> None:
    for id in "ab":
        await client.post(JOBS, json={"request": {"prompt": id}, "id": id})
    assert (await client.post("/sdapi/v1/queue/interrupt-waiting", json={"forget": 1})).status_code == 422
    answer = await client.post("/sdapi/v1/queue/interrupt-waiting", json={"forget": True})
    assert answer.json() == {"interrupted": 2}
    assert services.store.jobs.page()[1] == 0
