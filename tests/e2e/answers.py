"""Answers of a test in place of the server's, for some addresses.

Playwright's own `Page.route` lets the browser take nothing from its cache, whatever is routed: a page then fetches and
compiles its two hundred files anew, which is a second of a core. It is for what is asked once the page is there.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Error, Page


@dataclass(frozen=True)
class Asked:
    """A request of the page; `body` is what it sends."""

    method: str
    url: str
    body: str


@dataclass(frozen=True)
class Answer:
    """What it is answered."""

    body: bytes
    content_type: str
    status: int = 200


def as_json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json")


def hold(page: Page, address: str) -> Callable[[], None]:
    """Hold back what `page` asks of `address` (as for `answer`) until what this returns is called."""
    session, held = page.context.new_cdp_session(page), list[str]()
    session.on("Fetch.requestPaused", lambda event: held.append(event["requestId"]))
    session.send("Fetch.enable", {"patterns": [{"urlPattern": address}]})

    def release() -> None:
        assert held, f"{address} was asked for"
        for identity in held:
            session.send("Fetch.continueRequest", {"requestId": identity})
        session.detach()

    return release


def answer(page: Page, addresses: list[str], told: Callable[[Asked], Answer]) -> None:
    r"""Answer what `page` asks of `addresses`. In each `*` is anything, `?` any one character, `\?` a question mark."""
    session = page.context.new_cdp_session(page)

    def paused(event: dict[str, Any]) -> None:
        request = event["request"]
        given = told(Asked(request["method"], request["url"], request.get("postData", "")))
        with contextlib.suppress(Error):  # the page may be gone
            session.send(
                "Fetch.fulfillRequest",
                {
                    "requestId": event["requestId"],
                    "responseCode": given.status,
                    "responseHeaders": [{"name": "content-type", "value": given.content_type}],
                    "body": base64.b64encode(given.body).decode(),
                },
            )

    session.on("Fetch.requestPaused", paused)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": address} for address in addresses]})
