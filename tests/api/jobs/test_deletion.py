"""Jobs are deleted over REST; where pictures are is told, and shown, on the same machine alone."""

import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from modules.api.jobs import folder as job_folder
from modules.api.server.middleware import Stamp
from modules.api.services import Services
from modules.jobs.visitor import SCOPE_KEY, Visitor
from modules.options import Options
from tests.api.conftest import HOST, FakeEngine, until
from tests.api.jobs.test_routes import JOBS


async def drawn(client: httpx.AsyncClient, services: Services, id: str, **request: Any) -> dict[str, Any]:
    body = {
        "kind": "txt2img",
        "request": {"steps": 1, "width": 64, "height": 64, "save_images": False, **request},
        "id": id,
    }
    assert (await client.post(JOBS, json=body)).status_code == 200
    await until(lambda: (job := services.store.jobs.get(id)) and job.finished)
    answer: dict[str, Any] = (await client.get(f"{JOBS}/{id}")).json()
    return answer


def remote(application: Stamp) -> httpx.AsyncClient:
    """A client on another machine who has logged in."""

    async def known(scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY] = Visitor("192.168.1.9", near=False, user="anna")
        await application(scope, receive, send)

    transport = httpx.ASGITransport(app=known, client=("192.168.1.9", 5000))
    return httpx.AsyncClient(transport=transport, base_url=HOST, timeout=20)


async def test_a_job_that_ended_is_deleted(client: httpx.AsyncClient, services: Services, engine: FakeEngine) -> None:
    folder = Path((await drawn(client, services, "a", save_images=True))["folder"])
    await drawn(client, services, "b", save_images=True)
    assert folder.parent == services.folder.outputs / "txt2img-images"
    assert (await client.delete(f"{JOBS}/a", params={"waiting": True})).status_code == 409  # meant for one that waits
    answer = await client.delete(f"{JOBS}/a")
    assert answer.json() == {"accepted": True, "was": "done", "files": 0, "files_left": 0}
    assert (await client.delete(f"{JOBS}/b", params={"files": True})).json()["files"] == 1
    assert len(list(folder.iterdir())) == 1
    for id in "ab":
        assert (await client.get(f"{JOBS}/{id}")).status_code == 404
        assert (await client.get(f"{JOBS}/{id}/images/0.png")).status_code == 404
        assert (await client.delete(f"{JOBS}/{id}")).status_code == 404


async def test_many_are_deleted_by_filter(client: httpx.AsyncClient, services: Services, engine: FakeEngine) -> None:
    await drawn(client, services, "a", prompt="a red heart")
    await drawn(client, services, "b", prompt="a blue heart")
    wrong = ({"status": "queued"}, {"older_than_days": -1}, {"older_than_days": "nan"}, {"finished_until": "nan"})
    for parameters in ({}, {"text": " "}, *wrong):
        refused = await client.delete(JOBS, params=parameters)
        assert refused.status_code == 422, parameters
    assert services.store.jobs.page()[1] == 2
    nothing = {"jobs": 0, "files": 0, "files_left": 0, "left": 0}
    assert (await client.delete(JOBS, params={"older_than_days": 1})).json() == nothing
    assert (await client.delete(JOBS, params={"status": "failed,interrupted"})).json() == nothing
    deleted = await client.delete(JOBS, params={"text": "BLUE", "status": "done"})
    assert deleted.json() == {"jobs": 1, "files": 1, "files_left": 0, "left": 0}  # results go with their job
    first_end = (await client.get(f"{JOBS}/a")).json()["finished_at"]
    await drawn(client, services, "c", prompt="ended since the list was read")
    assert (await client.delete(JOBS, params={"finished_until": first_end - 0.001})).json() == nothing
    both = {"finished_until": first_end, "older_than_days": 0}
    assert (await client.delete(JOBS, params=both | {"older_than_days": 1})).json() == nothing
    assert (await client.delete(JOBS, params=both)).json()["jobs"] == 1
    assert [job.id for job in services.store.jobs.page()[0]] == ["c"]
    assert (await client.delete(JOBS, params={"all": True})).json()["jobs"] == 1
    assert services.store.jobs.page()[1] == 0


async def test_only_own_jobs_are_deleted_where_that_matters(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine
) -> None:
    await drawn(client, services, "a")
    Options(services.folder.settings).update({"only_own_jobs": True})
    other = {"x-steady-owner": "somebody"}
    assert (await client.delete(f"{JOBS}/a", headers=other)).status_code == 403
    assert (await client.delete(JOBS, params={"all": True}, headers=other)).status_code == 403
    assert (await client.delete(JOBS, params={"owner": "127.0.0.1"}, headers=other)).status_code == 403
    assert (await client.delete(JOBS, params={"owner": "127.0.0.1"})).json()["jobs"] == 1


async def test_the_folder_is_told_on_this_machine_alone(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine, application: FastAPI
) -> None:
    mine = {"x-steady-owner": "0123456789abcdef" * 2}  # a guest sees his own jobs alone
    client.headers.update(mine)
    job = await drawn(client, services, "a")
    assert job["folder"] == str(services.folder.results / "a")
    assert (await client.get(JOBS)).json()["jobs"][0]["folder"] == job["folder"]
    async with remote(application) as other:  # type: ignore[arg-type]
        other.headers.update(mine)
        assert (await other.get(f"{JOBS}/a")).json()["folder"] is None
        assert (await other.get(JOBS)).json()["jobs"][0]["folder"] is None
        assert (await other.post(f"{JOBS}/a/open-folder")).status_code == 403


async def test_the_folder_is_opened(
    client: httpx.AsyncClient,
    services: Services,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = (await drawn(client, services, "a"))["folder"]
    monkeypatch.setattr(job_folder, "file_manager", lambda: None)
    without = await client.post(f"{JOBS}/a/open-folder")
    assert without.status_code == 501
    assert folder in without.json()["detail"]
    manager = tmp_path / "manager"
    manager.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/shown\n')
    manager.chmod(0o755)
    monkeypatch.setattr(job_folder, "file_manager", lambda: str(manager))
    assert (await client.post(f"{JOBS}/a/open-folder")).json() == {"folder": folder}
    await until(lambda: (tmp_path / "shown").exists() and (tmp_path / "shown").read_text() == folder)
    assert (await client.post(f"{JOBS}/none/open-folder")).status_code == 404
    services.store.images.expire_results(-1)
    assert (await client.post(f"{JOBS}/a/open-folder")).status_code == 404


@pytest.mark.parametrize(
    ("platform", "screen", "wanted"),
    [("linux", ":0", "xdg-open"), ("linux", "", None), ("darwin", "", "open"), ("win32", "", "explorer")],
)
def test_each_system_has_its_file_manager(
    monkeypatch: pytest.MonkeyPatch, platform: str, screen: str, wanted: str | None
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert job_folder.file_manager() == wanted
