"""All pictures of a job in one file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath

import httpx
from PIL import Image

from modules.api.jobs.zip_file import PIECE, zipped
from modules.api.services import Services
from modules.images.naming import FileName
from modules.images.picture_files import encode_drawn
from modules.images.save import save_image
from modules.jobs.kinds.files import FileForm
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


def test_files_of_two_folders_may_have_one_name_also_where_the_folders_have(tmp_path: Path) -> None:
    names = ["a/cat.png", "b/cat.png", "a/day/cat.png", "b/day/cat.png", "b/day/dog.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped([tmp_path / name for name in names])))) as archive:
        assert archive.namelist() == [*names[:4], "dog.png"]
        assert [archive.read(name) for name in archive.namelist()] == [name.encode() for name in names]


async def test_a_file_of_another_form_and_name_is_served_as_what_it_is(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine
) -> None:
    """The name of the file is the pattern's, its address ends as it does, and it can be begun with."""
    job = await drawn(client, services, "a", save_images=True)
    name = FileName(PurePosixPath("outputs/赤"), 'a "ハート"', ".webp", numbered=False)
    image = services.store.images.reserve("a", 1, 5, 64, 64, True, name)
    made = encode_drawn(Image.new("RGB", (64, 64), "teal"), "a cat", {}, None, FileForm(form="webp"))
    save_image(made.data, services.store.images.path_of(image))
    services.store.images.complete("a", 1, "a cat")
    told = (await client.get(f"{JOBS}/a")).json()["outputs"][1]
    assert (told["name"], told["url"]) == ('a "ハート".webp', "/sdapi/v1/jobs/a/images/1.webp")
    served = await client.get(told["url"])
    assert (served.headers["content-type"], served.content) == ("image/webp", made.data)
    assert (await client.get(f"{JOBS}/a/images/1/thumbnail")).headers["content-type"] == "image/webp"
    archive = await client.get(f"{JOBS}/a/images/all.zip")
    assert archive.status_code == 200 and len(job["outputs"]) == 1
    body = {"kind": "img2img", "request": {"init_images": [told["url"]], "prompt": "a"}, "id": "b"}
    assert (await client.post(JOBS, json=body)).status_code == 200
    assert (await client.get(f"{JOBS}/a/images/1.gif")).status_code == 404


async def test_cancelling_all_that_waits_can_leave_nothing(client: httpx.AsyncClient, services: Services) -> None:
    for id in "ab":
        await client.post(JOBS, json={"request": {"prompt": id}, "id": id})
    assert (await client.post("/sdapi/v1/queue/interrupt-waiting", json={"forget": 1})).status_code == 422
    answer = await client.post("/sdapi/v1/queue/interrupt-waiting", json={"forget": True})
    assert answer.json() == {"interrupted": 2}
    assert services.store.jobs.page()[1] == 0
