"""Who presses a button of the page, for the list of who did what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from modules.jobs.rows import Actor, acting


def address_of(asker: gr.Request) -> str:
    """Return the address of the browser that sent a request of the page."""
    client = asker.client
    return client.host if client else "unknown"


@contextmanager
def acting_as(owner: str, asker: gr.Request) -> Iterator[Actor]:
    """Say who acts while something goes through `shared.state`, which itself knows nobody."""
    actor = Actor(str(owner or "page"), address_of(asker))
    token = acting.set(actor)
    try:
        yield actor
    finally:
        acting.reset(token)
