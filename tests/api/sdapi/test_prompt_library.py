"""Styles over REST: A1111's list, and what the page does with them."""

import json

import httpx

from modules.api.services import Services
from tests.api.conftest import FakeEngine


async def test_styles_are_listed_saved_drawn_with_and_deleted(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    (services.folder.wildcards / "colours").mkdir(parents=True)
    (services.folder.wildcards / "colours" / "warm.txt").write_text("red\n")
    style = {"name": "ink & oil", "prompt": "ink of {prompt}", "negative_prompt": "colour"}
    assert (await client.post("/sdapi/v1/prompt-styles", json=style)).json() == {}
    assert (await client.get("/sdapi/v1/prompt-styles")).json() == [style]
    library = (await client.get("/sdapi/v1/prompt-library")).json()
    assert library["wildcards"] == ["colours/warm"]
    assert library["styles"] == [style | {"file": str(services.folder.styles)}]
    body = {
        "prompt": "a __warm__ {cat|cat}",
        "styles": ["ink & oil"],
        "width": 64,
        "height": 64,
        "force_task_id": "inked",
    }
    info = json.loads((await client.post("/sdapi/v1/txt2img", json=body)).json()["info"])
    assert info["prompt"] == "ink of a red cat" and info["styles"] == ["ink & oil"]
    assert info["negative_prompt"] == "colour"
    job = (await client.get("/sdapi/v1/jobs/inked")).json()
    assert job["request"]["prompt"] == "a __warm__ {cat|cat}" and job["request"]["styles"] == ["ink & oil"]
    assert (await client.delete("/sdapi/v1/prompt-styles", params={"name": "ink & oil"})).json() == {}
    assert (await client.get("/sdapi/v1/prompt-styles")).json() == []
    assert [row.action for row in services.store.audit.rows()] == ["style-delete", "submit", "style-save"]


async def test_what_cannot_be_is_refused_with_its_field(client: httpx.AsyncClient, services: Services) -> None:
    for sent, field in (({"name": "#x"}, "name"), ({"name": "x", "prompt": 5}, "prompt")):
        answer = await client.post("/sdapi/v1/prompt-styles", json=sent)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", field]
    answer = await client.post("/sdapi/v1/txt2img", json={"styles": ["gone"]})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == "Style 'gone' not found: leave styles out."
    services.folder.styles.write_text('name,prompt\nopen,"b\n')
    answer = await client.post("/sdapi/v1/prompt-styles", json={"name": "x"})
    assert answer.status_code == 409
    assert "a quote is opened and not closed" in answer.json()["errors"]
    assert "a quote is opened" in (await client.get("/sdapi/v1/prompt-library")).json()["problems"][0]
