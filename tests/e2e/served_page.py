"""The page alone, served by a thread of the test: without engine and without the REST API."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from app import mount_page
from modules.api.page import assets
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from tests.program import free_port, wait_until
from tests.webui.conftest import no_stop
from webui import ui
from webui.theme import ASSETS


@contextmanager
def served_page(store: JobStore, catalogue: CheckpointCatalogue) -> Iterator[str]:
    """Serve it; gives its address."""
    served = FastAPI()
    read = assets.read_assets(ASSETS)
    served.include_router(assets.routes(read))
    served.mount("/", mount_page(ui.create_ui(store, catalogue, no_stop), read.version))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(served, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 60, "the page is served")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
