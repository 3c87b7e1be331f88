"""Downloads over REST, with the process that fetches, from a Hub on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from modules.api.models.download_process import environment_of
from modules.api.models.download_state import read_state
from modules.api.models.downloads import Downloads
from modules.api.services import Services
from tests.api.conftest import until
from tests.hub.stand_in import StandIn, safetensors_of

DOWNLOADS = "/sdapi/v1/downloads"
SIZE = 4 << 20


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    file = safetensors_of(["model.diffusion_model.x", "first_stage_model.x"], SIZE)
    with StandIn(
        {"org/file": {"a.safetensors": file}, "org/small": {"b.safetensors": file[:0] + b"x" * 99}}
    ) as started:
        monkeypatch.setenv("HF_ENDPOINT", started.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        yield started


@pytest.fixture
async def downloads(running: Services, hub: StandIn) -> AsyncIterator[Downloads]:
    running.downloads.start()
    yield running.downloads
    running.downloads.stop()
    await asyncio.to_thread(running.downloads.join, 10)


def status_of(downloads: Downloads, id: str) -> dict[str, Any]:
    return next((one for one in downloads.list()["downloads"] if one["id"] == id), {"status": "gone", "done_bytes": 0})


async def reaches(downloads: Downloads, id: str, status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        now = status_of(downloads, id)
        assert now["status"] == status or now["status"] in ("waiting", "running"), now
        return now if now["status"] == status else None

    found: dict[str, Any] = await until(there, 60)
    return found


async def ask(client: httpx.AsyncClient, address: str) -> str:
    answer = await client.post(DOWNLOADS, json={"address": address})
    assert answer.status_code == 200, answer.text
    id: str = answer.json()["id"]
    return id


async def test_nothing_is_asked_of_the_hub_before_somebody_allows_it(
    client: httpx.AsyncClient, services: Services, hub: StandIn
) -> None:
    services.downloads.start()
    refused = await client.post(DOWNLOADS, json={"address": "org/file"})
    assert refused.status_code == 403
    assert "the one thing that leaves this machine" in refused.json()["errors"]
    assert (await client.get(DOWNLOADS)).json()["allowed"] is False
    services.options.update({"hub_downloads": True})
    for bad in ({"address": "https://civitai.com/models/1"}, {"address": "org/file", "half": "yes"}, {}):
        assert (await client.post(DOWNLOADS, json=bad)).status_code == 422
    for id in ("a", "%2e%2e"):
        assert (await client.post(f"{DOWNLOADS}/{id}/resume")).status_code == 404
    assert hub.asked == []
    services.downloads.stop()


async def test_a_model_comes_and_can_be_chosen(
    client: httpx.AsyncClient, services: Services, downloads: Downloads, hub: StandIn
) -> None:
    services.options.update({"hub_downloads": True})
    hub.private, hub.token = {"org/file"}, "hf_of_mine_1"
    assert (await client.post(f"{DOWNLOADS}/token", json={"token": "hf_of_mine_1"})).json() == {"token": True}
    id = await ask(client, "org/file")
    assert await ask(client, "https://huggingface.co/org/file") == id, "one that is under way is not begun again"
    done = await reaches(downloads, id, "done")
    assert (done["kind"], done["done_bytes"]) == ("checkpoint", done["total_bytes"])
    assert Path(done["path"]).is_relative_to(services.catalogue.folders[0])
    await until(lambda: "a.safetensors" in [one.name for one in services.catalogue.list()])
    token_file = services.folder.hub_token
    assert token_file.stat().st_mode & 0o777 == 0o600
    told = (await client.get(DOWNLOADS)).text + services.folder.downloads.read_text()
    assert "hf_of_mine" not in told + json.dumps((await client.get("/sdapi/v1/options")).json())
    assert (await client.post(f"{DOWNLOADS}/token", json={"token": ""})).json() == {"token": False}
    assert not token_file.exists()
    assert (await client.delete(f"{DOWNLOADS}/{id}")).status_code == 200
    assert Path(done["path"]).exists(), "the list forgets it, the model stays"


async def test_the_next_server_goes_on_with_it_and_one_can_be_paused_and_cancelled(
    client: httpx.AsyncClient, services: Services, downloads: Downloads, hub: StandIn
) -> None:
    services.options.update({"hub_downloads": True})
    hub.go.clear()
    id = await ask(client, "org/file")
    await until(lambda: status_of(downloads, id)["done_bytes"] > SIZE // 4, 60)
    heir = heir_of(services, downloads, "the same run")
    heir.start()
    assert heir.list()["downloads"][0]["status"] == "running", "the list is there before it is its own"
    downloads.stop()
    assert (await client.post(f"{DOWNLOADS}/{id}/pause")).status_code == 503, "the page asks again, and meets the heir"
    await until(lambda: len(hub.ranges_of("a.safetensors")) == 2, 60)
    assert hub.ranges_of("a.safetensors")[1] is not None, "it goes on where it was"
    assert heir.pause(id).status == "paused"
    heir.stop()
    await asyncio.to_thread(heir.join, 10)
    assert read_state(services.folder.downloads)[id].status == "paused"
    hub.go.set()
    last = heir_of(services, downloads, "another run")
    last.start()
    await until(lambda: last._entries is not None)
    last.resume(id)
    await reaches(last, id, "done")
    hub.go.clear()
    second = last.add("org/file", False).id
    await until(lambda: status_of(last, second)["done_bytes"] > SIZE // 4, 60)
    last.remove(second)
    hub.go.set()
    await until(lambda: not any((services.catalogue.folders[0] / ".downloads").iterdir()), 20)
    last.stop()
    await asyncio.to_thread(last.join, 10)


def heir_of(services: Services, before: Downloads, program: str) -> Downloads:
    if program == "the same run":
        program = before._program
    return Downloads(
        services.folder.downloads, before.models, services.options, before.token, program, services.catalogue.refresh
    )


async def test_after_a_start_of_the_program_nothing_goes_on_by_itself(services: Services, hub: StandIn) -> None:
    services.options.update({"hub_downloads": True})
    row = {"id": "1", "address": "org/file", "repo": "org/file", "revision": None, "file": None, "half": False,
           "created_at": 1.0, "program": "an earlier one", "status": "running"}  # fmt: skip
    rows = [row, row | {"id": "2", "status": "no such"}, {"id": 3}, "nothing"]
    services.folder.downloads.write_text(json.dumps({"downloads": rows}))
    services.downloads.start()
    await until(lambda: services.downloads._entries is not None)
    told = services.downloads.list()["downloads"]
    assert [(one["id"], one["status"]) for one in told] == [("1", "paused")]
    assert "The program was ended meanwhile" in told[0]["message"]
    services.downloads.stop()
    await asyncio.to_thread(services.downloads.join, 10)
    assert hub.asked == []
    services.store.close()


def test_only_this_process_may_ask_the_hub() -> None:
    given = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_ENDPOINT": "http://mirror", "PATH": "/bin"}
    made = environment_of(given)
    assert "HF_HUB_OFFLINE" not in made and "TRANSFORMERS_OFFLINE" not in made
    assert (made["HF_ENDPOINT"], made["PATH"], made["HF_HUB_DISABLE_TELEMETRY"]) == ("http://mirror", "/bin", "1")
