"""The REST application with real parts, and an engine that draws plain squares at once or when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy
import pytest
from fastapi import FastAPI
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.numpy import save_file
from starlette.types import ASGIApp

from modules.api.application import assemble
from modules.api.auth.authentication import Authentication
from modules.api.auth.permission import Permission
from modules.api.jobs.stop_requests import StopRequests
from modules.api.page.assets import Assets
from modules.api.page.identity import Identity
from modules.api.server.serving import SwappableServer
from modules.api.services import Services, build_services
from modules.cmd_args import Arguments
from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.grid.cell_request import GridSeeds
from modules.jobs.kinds.grid.order import in_drawing_order
from modules.jobs.kinds.grid.request import GridRequest
from modules.jobs.kinds.grid.resolved import Cell
from modules.jobs.kinds.registry import validate_drawing, validate_request
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Job
from modules.jobs.serialization import pictures_in
from modules.jobs.store.job_store import JobStore
from modules.link.noticeboards import Noticeboards
from modules.options import Options
from modules.paths import DataFolder
from modules.prompts.dynamic.wildcards import Wildcards
from modules.prompts.library import PromptLibrary
from modules.prompts.styles.style_files import StyleFiles
from modules.prompts.tags import Tags
from modules.shared_state import State

HOST = "http://127.0.0.1:7860"


def make_model(folder: Path, name: str = "emoji") -> Path:
    """Make a model folder in which nothing is missing and which draws nothing."""
    model = folder / "Stable-diffusion" / name
    for part in ("unet", "vae", "scheduler", "text_encoder", "tokenizer"):
        (model / part).mkdir(parents=True)
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
    }
    (model / "model_index.json").write_text(json.dumps(index))
    (model / "unet" / "config.json").write_text(json.dumps({"sample_size": 16}))
    (model / "vae" / "config.json").write_text(json.dumps({"block_out_channels": [8, 8, 8, 8]}))
    (model / "scheduler" / "scheduler_config.json").write_text("{}")
    (model / "text_encoder" / "config.json").write_text("{}")
    (model / "tokenizer" / "tokenizer.json").write_text("{}")
    for part, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        weights = {"weight": numpy.full(4, len(name), dtype=numpy.float32)}
        save_file(weights, model / part / f"{stem}.safetensors")
    return model


def plain_png(seed: int, width: int, height: int, infotext: str) -> bytes:
    """Return a square of one colour with its infotext."""
    text = PngInfo()
    text.add_text("parameters", infotext)
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (seed % 256, 40, 90)).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


class FakeEngine(threading.Thread):
    """Claims jobs and draws plain squares. It waits for `go` before each job while that is cleared."""

    def __init__(self, services: Services) -> None:
        super().__init__(daemon=True)
        self.services = services
        self.go = threading.Event()
        self.go.set()
        self.end = threading.Event()
        self.fail_with: str | None = None
        self.between_images: Callable[[Job, int], object] = lambda job, index: None

    def run(self) -> None:
        while not self.end.is_set():
            if not self.go.wait(0.01):
                continue
            job = self.services.store.claims.claim("fake")
            if job is None:
                time.sleep(0.005)
            else:
                self.draw(job)

    def draw(self, job: Job) -> None:
        store, state = self.services.store, self.services.state
        resolved = self.resolve(job)
        store.claims.set_resolved(job.id, resolved.model_dump(mode="json"))
        token = state.begin(job.id)
        state.job_count = resolved.image_count
        try:
            for index in range(resolved.image_count):
                self.between_images(job, index)
                if store.claims.pending(job.id).requested is not None:
                    state.end(token)
                    store.claims.finish(job.id, "interrupted")
                    return
                self.draw_image(job, resolved, index)
        finally:
            state.end(token)
        if self.fail_with is not None:
            store.claims.finish(job.id, "failed", self.fail_with)
        else:
            store.claims.finish(job.id, "done")

    def resolve(self, job: Job) -> Resolved:
        request = validate_request(job.kind, job.request)
        if not isinstance(request, GridRequest):
            return self.close(validate_drawing(job.kind, job.request))
        seeds = GridSeeds(lambda: 1234)
        cells = [Cell(place=cell.place, drawn=self.close(seeds.closed(cell))) for cell in request.cells()]
        return request.resolved(in_drawing_order(cells), self.services.options.values)

    def close(self, request: DrawingRequest) -> ResolvedJob:
        settings, catalogue = self.services.options.values, self.services.catalogue
        models = request.find_models(catalogue, settings)
        models = replace(models, checkpoint=catalogue.hashed(models.checkpoint))
        wildcards, find = catalogue.library.wildcards.now(), self.services.inputs.find
        return request.resolve(models, settings, lambda: 1234, "float32", 2, None, find, wildcards)

    def draw_image(self, job: Job, resolved: Resolved, index: int) -> None:
        store, seed = self.services.store, resolved.seed_of(index)
        store.claims.begin_image(job.id, index)
        drawn = pictures_in(resolved)[index].drawn
        infotext = f"{drawn.words.prompt}\nSteps: {drawn.passes[0].steps}, Seed: {seed}"
        width, height = resolved.size_of(index)
        saved = resolved.saving.save_images
        image = store.images.reserve(job.id, index, seed=seed, width=width, height=height, save=saved)
        path = self.services.folder.root / image.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(plain_png(seed, width, height, infotext))
        store.images.complete(job.id, index, infotext=infotext)
        self.services.state.nextjob()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return services_in(tmp_path)


def services_in(root: Path) -> Services:
    """Return a server's parts, with a model that draws nothing."""
    make_model(root / "models")
    folder = DataFolder(root / "data")
    folder.root.mkdir()
    store, options, state = JobStore(folder.database, folder), Options(folder.settings), State()
    library = PromptLibrary(StyleFiles([folder.styles]), Wildcards([folder.wildcards]), Tags(folder.tags))
    return build_services(
        store=store,
        catalogue=CheckpointCatalogue([root / "models"], library=library),
        options=options,
        state=state,
        link=None,
        arguments=Arguments(),
        folder=folder,
        stops=StopRequests(store.control, None, Noticeboards(state), Permission(store.jobs, options)),
        identity=Identity("instance-1", "page-1"),
    )


@pytest.fixture
async def running(services: Services) -> AsyncIterator[Services]:
    """The services with their broadcaster at work."""
    await services.broadcaster.start()
    yield services
    services.shutdown.stop()
    await services.broadcaster.stop()
    services.workers.close()
    services.store.close()


@pytest.fixture
async def engine(running: Services) -> AsyncIterator[FakeEngine]:
    fake = FakeEngine(running)
    fake.start()
    yield fake
    fake.end.set()
    fake.go.set()
    await asyncio.to_thread(fake.join, 5)


@pytest.fixture
def application(services: Services) -> ASGIApp:
    return application_of(services)


def application_of(services: Services, page: FastAPI | None = None) -> ASGIApp:
    """Return the REST application behind what guards it, beside a page without content."""
    page = page or FastAPI()
    for path in ("/", "/config", "/theme.css"):
        page.add_api_route(path, lambda: "a page")
    return assemble(services, page, Assets({}, ""), Authentication({}, services.folder.auth))


@pytest.fixture
async def client(running: Services, application: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=HOST, timeout=20) as http:
        yield http


@contextlib.asynccontextmanager
async def serving(server: SwappableServer) -> AsyncIterator[int]:
    """Run the server on a free port until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        port: int = listening.getsockname()[1]
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started or task.done())
        try:
            yield port
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 10)
            server.services.store.close()


async def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until `condition` gives something true and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that in time")


@pytest.fixture
async def port(services: Services, application: Any) -> AsyncIterator[int]:
    async with serving(SwappableServer(application, services)) as port:
        yield port


@pytest.fixture
async def drawing(port: int, services: Services) -> AsyncIterator[FakeEngine]:
    engine = FakeEngine(services)
    engine.start()
    yield engine
    engine.end.set()
    engine.go.set()
    await asyncio.to_thread(engine.join, 5)
