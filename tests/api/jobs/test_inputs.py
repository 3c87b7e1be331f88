"""Pictures to start from: sent once, looked at, named by jobs; bounded for guests, and of no use to attackers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image
from starlette.types import ASGIApp

from modules.api.services import Services
from modules.jobs.inputs.allowance import Bound, GuestAllowance
from modules.jobs.inputs.inputs import NAME
from modules.jobs.intake import Intake
from tests.api.auth.test_guests import ME, client_of, guarded
from tests.jobs.inputs.test_decoding import REFUSED, file_of

__all__ = ["guarded"]

INPUTS = "/sdapi/v1/inputs"
RED = file_of(Image.new("RGB", (4, 3), "red"))


@pytest.fixture
async def guest(running: Services, guarded: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(guarded, "10.0.0.3", ME) as http:
        yield http


def kept(services: Services) -> list[str]:
    folder = services.folder.inputs
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


async def test_a_picture_is_sent_once_and_looked_at_for_ever(client: httpx.AsyncClient, services: Services) -> None:
    answer = await client.post(INPUTS, content=RED)
    assert answer.status_code == 200
    told = answer.json()
    assert NAME.fullmatch(told["name"])
    assert told == {"name": told["name"], "width": 4, "height": 3, "url": f"{INPUTS}/{told['name']}"}
    jpeg = {"content-type": "image/bmp"}
    again = await client.post(INPUTS, content=file_of(Image.new("RGB", (4, 3), "red"), "BMP"), headers=jpeg)
    assert again.json() == told and kept(services) == [told["name"]]
    shown = await client.get(told["url"])
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "content-encoding" not in shown.headers
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert picture.getpixel((0, 0)) == (255, 0, 0)


async def test_what_is_no_picture_is_a_422_and_nothing_of_it_stays(
    client: httpx.AsyncClient, services: Services
) -> None:
    for what, data, _ in REFUSED:
        answer = await client.post(INPUTS, content=data)
        assert answer.status_code == 422, what
        assert ": " in answer.json()["errors"], what
    assert kept(services) == []


async def test_what_a_picture_said_of_itself_is_not_kept(client: httpx.AsyncClient) -> None:
    script = b"<script>alert(1)</script>"
    exif = Image.Exif()
    exif[0x010E] = script.decode()
    sent = file_of(Image.new("RGB", (4, 3)), "JPEG", exif=exif, comment=script) + script
    told = (await client.post(INPUTS, content=sent)).json()
    assert script not in (await client.get(told["url"])).content


async def test_other_forms_are_told_which_one_is_taken(client: httpx.AsyncClient) -> None:
    for kind in ("multipart/form-data; boundary=x", "application/json"):
        answer = await client.post(INPUTS, content=RED, headers={"content-type": kind})
        assert answer.status_code == 422 and "--data-binary" in answer.json()["errors"]
    curl = {"content-type": "application/x-www-form-urlencoded"}  # as curl calls whatever it sends
    assert (await client.post(INPUTS, content=RED, headers=curl)).status_code == 200


async def test_a_name_leads_to_no_other_file(client: httpx.AsyncClient, services: Services) -> None:
    for name in ("x", "0" * 64 + ".png", "..%2f..%2fjobs.sqlite", "%2e%2e%2fjobs.sqlite", "0" * 64):
        answer = await client.get(f"{INPUTS}/{name}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert str(services.folder.root) not in answer.text


async def test_one_whose_file_is_another_by_now_is_not_shown(client: httpx.AsyncClient, services: Services) -> None:
    told = (await client.post(INPUTS, content=RED)).json()
    (services.folder.inputs / told["name"]).write_bytes(b"<svg onload=alert(1)>")
    assert (await client.get(told["url"])).status_code == 404


async def test_a_full_disk_is_told(client: httpx.AsyncClient, services: Services) -> None:
    services.folder.inputs.write_bytes(b"a file stands there")
    answer = await client.post(INPUTS, content=RED)
    assert answer.status_code == 507
    assert "A file stands where a folder is needed" in answer.json()["errors"]


async def test_a_guest_sends_and_sees_what_he_can_name(guest: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    told = (await guest.post(INPUTS, content=RED)).json()
    assert (await guest.get(told["url"])).status_code == 200
    assert (await guest.get(INPUTS)).status_code in (404, 405), "there is no list of them"


async def test_a_guest_has_an_allowance_and_others_have_none(
    guest: httpx.AsyncClient, client: httpx.AsyncClient, services: Services
) -> None:
    few = GuestAllowance(Bound(2, 1 << 20), Bound(2, 1 << 20))
    object.__setattr__(services, "intake", Intake(services.inputs, services.store, few))

    def picture(number: int) -> bytes:
        return file_of(Image.new("RGB", (4, 3), (number, 0, 0)))

    for number in range(2):
        assert (await guest.post(INPUTS, content=picture(number))).status_code == 200
    refused = await guest.post(INPUTS, content=picture(3))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 80_000
    assert "send smaller ones, use one again that was sent, or log in" in refused.json()["errors"]
    assert (await guest.post(INPUTS, content=picture(1))).status_code == 200, "it is there already"
    assert (await client.post(INPUTS, content=picture(3))).status_code == 200
    assert len(kept(services)) == 3
