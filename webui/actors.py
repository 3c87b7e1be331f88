"""Who presses a button of the page, for the list of who did what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from modules.jobs.rows import Actor, acting


def actor(owner: object, asker: gr.Request) -> Actor:
    """Return who sent a request of the page: `owner` is what the browser says of itself."""
    client = asker.client
    return Actor(str(owner or "page"), client.host if client else "unknown")


@contextmanager
def acting_as(owner: object, asker: gr.Request) -> Iterator[None]:
    """Say who acts while something goes through `shared.state`, which itself knows nobody."""
    token = acting.set(actor(owner, asker))
    try:
        yield
    finally:
        acting.reset(token)
