"""Those who watch are bounded, and cost a bounded share however many there are."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from modules.api.answers import Refused
from modules.api.live import fan_out
from modules.api.live.fan_out import SHARE, FanOut, seconds_of
from modules.api.live.subscription import Message, Subscription
from modules.api.live.watchers import Watchers
from modules.api.services import Services
from tests.api.conftest import until


def test_an_address_has_some_places_and_this_machine_all() -> None:
    watchers = Watchers(most=10, most_of_an_address=3)
    with contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(watchers.place("10.0.0.1"))
        with pytest.raises(Refused, match=r"3 watch from 10\.0\.0\.1") as refusal, watchers.place("10.0.0.1"):
            pass
        assert (refusal.value.status, refusal.value.headers) == (503, {"Retry-After": "5"})
        for _ in range(7):
            held.enter_context(watchers.place("127.0.0.1"))
        with pytest.raises(Refused, match="10 watch already"), watchers.place("10.0.0.2"):
            pass
    assert len(watchers) == 0


def test_who_has_a_network_of_addresses_has_the_places_of_one() -> None:
    watchers = Watchers(most=10, most_of_an_address=3)
    with contextlib.ExitStack() as held:
        for number in range(3):
            held.enter_context(watchers.place(f"2001:db8:1:2::{number}"))
        with pytest.raises(Refused, match="3 watch from"), watchers.place("2001:db8:1:2:3::4"):
            pass
        held.enter_context(watchers.place("2001:db8:1:3::1"))
    assert len(watchers) == 0


async def test_one_too_many_is_refused_and_may_come_when_another_has_gone(port: int, services: Services) -> None:
    services.watchers._most = 2
    url = f"ws://127.0.0.1:{port}/steady/live"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        async with connect(url), http.stream("GET", "/sdapi/v1/events") as stream:
            assert stream.status_code == 200
            with pytest.raises(InvalidStatus) as refusal:
                async with connect(url):
                    pass
            assert refusal.value.response.status_code == 503
            assert b"close pages" in (refusal.value.response.body or b"")
            answer = await http.get("/sdapi/v1/events")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        await until(lambda: len(services.watchers) == 0)
        async with connect(url) as again:
            assert "snapshot" in str(await again.recv())


async def taken(reader: Subscription) -> list[str]:
    reader.end()
    found = []
    while (message := await reader.next()) is not None:
        found.append(message.text)
    return found


async def test_a_few_get_all_at_once_and_many_the_newest_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "SECONDS_A_MESSAGE", 0.0001)
    few, many = {Subscription() for _ in range(5)}, {Subscription() for _ in range(100)}
    for readers, told in ((few, 50), (many, 2)):
        fan, some, seen = FanOut(readers), next(iter(readers)), []
        for number in range(50):
            fan.tell("progress", Message(str(number)))
            if some._newest:
                seen.append(some._newest.pop("progress").text)
        await until(lambda some=some, told=told: told == 50 or some._newest)  # type: ignore[misc]
        seen += [message.text for message in some._newest.values()]
        assert len(seen) == told
        assert (seen[0], seen[-1]) == ("0", "49")
        fan.close()


@pytest.mark.parametrize("size", [200, 60_000, 2_000_000])
def test_what_all_of_them_cost_is_a_share_of_a_core(size: int) -> None:
    each = fan_out.SECONDS_A_MESSAGE + size / fan_out.BYTES_A_SECOND
    for readers in (21, 100, 400):
        assert readers * each / seconds_of(readers, [size]) == pytest.approx(SHARE)
    assert seconds_of(20, [size]) == 0


async def test_a_message_is_written_once_for_all_readers_of_the_event_stream() -> None:
    message = Message('{"a": 1}', 7)
    assert message.as_event == b'id: 7\ndata: {"a": 1}\n\n'
    assert message.as_event is message.as_event
    await asyncio.sleep(0)
