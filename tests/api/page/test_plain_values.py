"""Attacks on the page's listeners: what Gradio would take for a file never reaches it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI

from modules.api.page.gradio_routes import PageRoutes
from tests.api.conftest import HOST
from webui.ui import listeners_of

PREDICT = "/gradio_api/run/predict"
FILE = {"_type": "gradio.FileData"}


@pytest.fixture
async def http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A page of Gradio's own, as the program mounts it, whose one listener on the server says what it was sent."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    with gr.Blocks(analytics_enabled=False) as blocks:
        text, answer = gr.Textbox(), gr.Textbox()
        text.input(lambda value: repr(value), text, answer, queue=False, preprocess=False)
        text.change(None, text, answer, js="(text) => text")
    page = gr.mount_gradio_app(FastAPI(), blocks, path="/")
    transport = httpx.ASGITransport(app=PageRoutes(page, listeners_of(blocks)))
    async with httpx.AsyncClient(transport=transport, base_url=HOST, timeout=20) as client:
        yield client


async def call(http: httpx.AsyncClient, value: Any, **more: Any) -> httpx.Response:
    return await http.post(PREDICT, json={"fn_index": 0, "data": [value], **more})


def test_gradio_itself_copies_what_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: else the tests below would hold without what they test."""
    (tmp_path / "secret").write_text("of this machine")
    block = gr.Textbox()
    block.GRADIO_CACHE = str(tmp_path / "cache")
    file = {"path": str(tmp_path / "secret"), "meta": FILE}
    moved: Any = asyncio.run(gr.processing_utils.async_move_files_to_cache(file, block, check_in_upload_folder=True))
    assert Path(moved["path"]).read_text() == "of this machine" and "cache" in moved["path"]


@pytest.mark.parametrize("path", ["SECRET", "http://127.0.0.1:1/x"])
@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: [it], lambda it: {"value": it}, lambda it: [[it]]])
async def test_no_file_is_copied_and_no_address_fetched(
    http: httpx.AsyncClient, tmp_path: Path, path: str, wrap: Any
) -> None:
    """One such request with `/dev/zero`, from anybody, and the server answered nobody any more."""
    secret = tmp_path / "secret"
    secret.write_text("of this machine")
    file = {"path": path.replace("SECRET", str(secret)), "url": None, "meta": FILE}
    answer = await call(http, wrap(file))
    assert (answer.status_code, list(tmp_path.glob("cache/**/secret"))) == (422, [])


@pytest.mark.parametrize("value", ["a gull", 7, 0.5, True, None, ["a", "b"], "\N{UNICORN FACE}"])
async def test_what_the_page_sends_arrives(http: httpx.AsyncClient, value: Any) -> None:
    answer = await call(http, value, session_hash="abc123", trigger_id=1, event_data=None)
    assert (answer.status_code, answer.json()["data"]) == (200, [repr(value)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 200_000,
        b'{"fn_index":-1,"data":[]}',
        b'{"fn_index":1e400,"data":[]}',
        b'{"fn_index":0,"data":[]}',
        b'{"fn_index":0,"data":["a","b"]}',
        b'{"fn_index":1,"data":["a"]}',
        b'{"fn_index":99,"data":["a"]}',
        b'{"fn_index":true,"data":[]}',
        b'{"fn_index":0,"data":{}}',
        b'{"fn_index":0,"data":["\\ud800"]}',
        b'{"fn_index":0,"data":[NaN]}',
        b'{"fn_index":0,"data":[""],"session_hash":["a"]}',
        b'{"fn_index":0,"data":[""],"session_hash":"%s"}' % (b"x" * 10_000),
        json.dumps({"fn_index": 0, "data": [""] * 100_000}).encode(),
    ],
    ids=lambda body: body[:40].decode(),
)
async def test_what_no_page_sends_is_refused_in_words(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post(PREDICT, content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 422 and "send" in answer.json()["errors"]


async def test_what_gradio_would_read_beside_the_values_is_left_out(http: httpx.AsyncClient) -> None:
    more = {"batched": True, "simple_format": True, "event_data": {"path": "/dev/zero", "meta": FILE}, "event_id": "x"}
    assert (await call(http, "a", **more)).json()["data"] == ["'a'"]
