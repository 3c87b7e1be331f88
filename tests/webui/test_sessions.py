"""What Gradio keeps of its visitors is bounded, and who is forgotten loses nothing."""

from __future__ import annotations

import gradio
import httpx
from fastapi import FastAPI

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.store.job_store import JobStore
from modules.options import Options
from tests.webui.conftest import no_stop
from webui.ui import MOST_SESSIONS, create_ui


async def test_of_more_visitors_than_it_keeps_the_first_are_forgotten(
    store: JobStore, catalogue: CheckpointCatalogue, options: Options
) -> None:
    blocks = create_ui(store, catalogue, no_stop)
    page = FastAPI()
    gradio.mount_gradio_app(page, blocks, path="/")
    reading = next(
        one["id"] for one in blocks.config["dependencies"] if one["backend_fn"] and one["targets"][0][1] == "load"
    )
    answers = []
    transport = httpx.ASGITransport(app=page)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860", timeout=60) as http:
        for visitor in [*range(MOST_SESSIONS + 4), 0]:
            body = {"fn_index": reading, "data": [], "session_hash": f"visitor-{visitor}"}
            answer = await http.post("/gradio_api/run/predict", json=body)
            assert answer.status_code == 200, answer.text
            answers.append(answer.json()["data"])
    assert len(blocks.state_holder.session_data) == MOST_SESSIONS
    assert all(answer == answers[0] for answer in answers)
