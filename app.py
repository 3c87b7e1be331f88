"""The server process: the page, the REST API and the live stream, on the socket that the launcher holds.

Imports no torch: the page is there seconds after the start, and no computation can freeze it.
"""

# ruff: noqa: E402  (the first statements must come before the imports that they make faster)
from __future__ import annotations

import gc

# Importing makes objects that stay: looking for garbage among them costs a sixth of the start.
gc.disable()

from modules.late_imports import import_late, leave_out

import_late("pandas")
leave_out("gradio.component_meta", "create_or_modify_pyi")

import logging
import os
import signal
import socket
import sys
import uuid
from pathlib import Path

import gradio
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from modules import shared
from modules.api.application import assemble
from modules.api.auth.authentication import Authentication
from modules.api.auth.permission import Permission
from modules.api.jobs.stop_requests import StopRequests
from modules.api.page.assets import read_assets
from modules.api.page.identity import Identity, page_hash
from modules.api.server.log_throttle import throttle_logs
from modules.api.server.serving import SwappableServer, force_exit_after
from modules.api.services import Services, build_services
from modules.cmd_args import Arguments, from_environment
from modules.credentials import accounts
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.intake import Intake
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.places import places_from_environment
from modules.jobs.store.job_store import JobStore
from modules.link import Link
from modules.link.noticeboards import Noticeboards
from modules.paths import ROOT, data_folder
from modules.prompts.library import library_from_environment
from webui.theme import ASSETS, mount_arguments
from webui.ui import create_ui, listeners_of

SECONDS_BETWEEN_THREADS = 0.001


def main() -> int:
    """Serve until the launcher says otherwise; return the exit code."""
    arguments = from_environment()
    link = Link.from_environment(shared.state, "server")
    if link is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all processes; the launcher decides.
    logging.basicConfig(level=arguments.loglevel, format="%(asctime)s %(levelname)s server: %(message)s")
    for talkative in ("httpx", "httpcore", "asyncio", "PIL", "uvicorn"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    throttle_logs()
    application, services = build_application(arguments, link)
    # What is there now stays. Without it among what is looked through, no answer waits 60 ms for the collector.
    gc.freeze()
    gc.enable()
    # A stop button goes through several threads: none of them waits longer than this for one that computes.
    sys.setswitchinterval(SECONDS_BETWEEN_THREADS)
    SwappableServer(application, services, force_exit_after).run(sockets=[listening_socket(arguments)])
    if link is not None:
        link.close()
    services.store.close()
    return 0


def build_application(arguments: Arguments, link: Link | None) -> tuple[ASGIApp, Services]:
    """Return the whole application and the parts that it works with."""
    passwords = accounts.from_environment(os.environ)
    folder = data_folder()
    store = JobStore(folder.database, folder)
    catalogue = CheckpointCatalogue(
        places_from_environment(), folder.hashes, folder.model_facts, library=library_from_environment()
    )
    noticeboards = Noticeboards(shared.state) if link is None else link.noticeboards
    stops = StopRequests(store.control, link, noticeboards, Permission(store.jobs, shared.opts))
    intake = Intake(Inputs(folder.inputs), store)
    blocks = create_ui(store, catalogue, stops.ask, intake)
    page_assets = read_assets(ASSETS)
    page = mount_page(blocks, page_assets.version)
    instance = os.environ.get("STEADY_INSTANCE") or uuid.uuid4().hex
    services = build_services(
        store=store,
        catalogue=catalogue,
        options=shared.opts,
        state=shared.state,
        link=link,
        arguments=arguments,
        folder=folder,
        stops=stops,
        intake=intake,
        identity=Identity(instance, page_hash(blocks.config, blocks.head or "", page_assets.version)),
    )
    auth = Authentication(passwords, folder.auth)
    return assemble(services, page, page_assets, auth, blocks.head or "", listeners_of(blocks)), services


def mount_page(blocks: gradio.Blocks, version: str) -> FastAPI:
    """Return the page's application; `version` is that of its assets.

    The CORS middleware allows nobody, and keeps Gradio from adding a generous one.
    """
    page = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page.add_middleware(CORSMiddleware, allow_origins=())
    gradio.mount_gradio_app(page, blocks, path="/", **mount_arguments(version, shared.opts.values.theme))
    return page


def listening_socket(arguments: Arguments) -> socket.socket:
    """Return the socket that the launcher handed over, or an own one where it could not."""
    descriptor = os.environ.get("STEADY_LISTEN_FD")
    if descriptor is not None:
        return socket.socket(fileno=int(descriptor))
    return socket.create_server((arguments.host, arguments.port), backlog=512)


if __name__ == "__main__":
    # `python app.py` puts this file's folder first on the path; nothing else is needed to find `modules`.
    assert Path(__file__).resolve().parent == ROOT
    code = main()
    # Python's own clean-up would take another second, in which a server that was replaced keeps its memory.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
