"""Who presses a button of the page: for the list of who did what, and for what not everybody may do."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gradio as gr

from modules.cmd_args import from_environment, refusal_without_launcher
from modules.errors import StorageError
from modules.jobs.rows import Actor, RequestKind
from modules.jobs.store.job_store import JobStore
from modules.jobs.visitor import Visitor, visitor_of
from modules.shared import state

# Asks a job, or the one that runs, to stop; raises SteadyError when it may not.
Stop = Callable[[RequestKind, str | None, Actor], object]

logger = logging.getLogger(__name__)


def actor(owner: object, asker: gr.Request) -> Actor:
    """Return who sent a request of the page: `owner` is what the browser says of itself."""
    return visitor(asker).actor(owner or "page")


def visitor(asker: gr.Request) -> Visitor:
    """Return who sent a request of the page, as far as that is proven."""
    return visitor_of(asker.request.scope) if asker.request is not None else Visitor("unknown", near=False)


def order(store: JobStore, command: str, owner: object, asker: gr.Request) -> str | None:
    """Give the launcher a command and keep who did; return why this client may not, by the rule that REST has."""
    who = visitor(asker)
    refusal = from_environment().refusal_of_command(command, who.address, trusted=who.trusted)
    if refusal is None and state.command_port is None:
        refusal = refusal_without_launcher(command)
    if refusal is None:
        try:
            store.audit.note(command, who.actor(owner or "page"))
        except StorageError as error:  # a full disk is no reason to go on
            logger.error("The command %s could not be written down: %s", command, error)
        state.server_command = command
    return refusal
