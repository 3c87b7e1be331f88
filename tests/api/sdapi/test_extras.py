"""Extras and interrogate as A1111's clients send them, and what they get back."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from modules.images.infotext import with_extras, write_extras
from modules.images.png import encode_extras_png
from modules.jobs.kinds.choice import CHOSEN
from modules.jobs.kinds.extras import ExtrasChoice, ExtrasModels, ExtrasRequest
from modules.jobs.kinds.extras_values import in_picture
from modules.jobs.kinds.interrogate import CAPTION
from modules.jobs.kinds.registry import validate_request
from modules.jobs.rows import Job
from tests.api.conftest import FakeEngine, plain_png

PICTURE = base64.b64encode(plain_png(1, 16, 8, "a heart")).decode()


def work(engine: FakeEngine, job: Job) -> None:
    """Enlarge plainly, as the engine does, or say that a heart is on the picture."""
    services = engine.services
    store = services.store
    if job.kind == "interrogate":
        store.claims.note(job.id, CAPTION, "a red heart")
        store.claims.finish(job.id, "done")
        return
    request = validate_request(job.kind, job.request)
    assert isinstance(request, ExtrasRequest)
    choice = ExtrasChoice.model_validate(job.request[CHOSEN])
    models = ExtrasModels(tuple((one.name, None) for one in choice.upscalers), folder=choice.folder)
    resolved = request.resolve(models, services.options.values, services.inputs.find, 1)
    store.claims.set_resolved(job.id, resolved.model_dump(mode="json"))
    for index, named in enumerate(resolved.pictures):
        assert not isinstance(named, str) and hasattr(named, "name")
        extras = write_extras(resolved, index)
        size = resolved.size_of(index)
        picture = services.inputs.open(named).resize(size)  # type: ignore[arg-type]
        row = store.images.reserve(job.id, index, -1, *size, save=resolved.saving.save_images)
        path = services.folder.root / row.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_extras_png(picture, "a heart", extras, in_picture(resolved, index)))
        store.images.complete(job.id, index, with_extras("a heart", extras))
    store.claims.finish(job.id, "done")


@pytest.fixture
def upscaling(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    monkeypatch.setattr(engine, "draw", lambda job: work(engine, job))
    return engine


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


async def test_one_picture(client: httpx.AsyncClient, upscaling: FakeEngine) -> None:
    sent = {"image": PICTURE, "upscaler_1": "Lanczos", "upscaling_resize": 4, "rubbish": 1}
    answer = await client.post("/sdapi/v1/extra-single-image", json=sent)
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"html_info", "image"}
    assert opened(told["image"]).size == (64, 32)
    assert opened(told["image"]).info["extras"].startswith("Postprocess upscale by: 4, Postprocess upscaler: Lanczos")
    assert "<p>a heart" in told["html_info"] and "Postprocess upscaler: Lanczos" in told["html_info"]
    # Nothing stays in the folder of saved pictures.
    assert not (upscaling.services.folder.root / "outputs").exists()
    large = await client.post("/sdapi/v1/extra-single-image", json=sent | {"upscaling_resize": 16})
    assert len(large.content) > 1000 and "content-encoding" not in large.headers, "pictures get no smaller by gzip"


async def test_several_pictures(client: httpx.AsyncClient, upscaling: FakeEngine) -> None:
    sent = {"imageList": [{"data": PICTURE, "name": "a.png"}, {"data": PICTURE, "name": "b.png"}]}
    sized = {"resize_mode": 1, "upscaling_resize_w": 20, "upscaling_resize_h": 20, "upscaler_1": "Nearest"}
    answer = await client.post("/sdapi/v1/extra-batch-images", json=sent | sized)
    assert answer.status_code == 200
    assert set(answer.json()) == {"html_info", "images"}
    assert [opened(one).size for one in answer.json()["images"]] == [(20, 20)] * 2


@pytest.mark.parametrize(
    ("route", "body", "status", "words"),
    [
        ("extra-single-image", {}, 404, "Image not found: send image"),
        ("extra-batch-images", {"imageList": []}, 404, "Images not found: send imageList"),
        ("extra-single-image", {"image": "bm90aGluZw=="}, 422, "image"),
        ("extra-single-image", {"image": PICTURE, "upscaler_1": "x"}, 422, "Upscaler 'x' is not known"),
        ("extra-single-image", {"image": PICTURE, "gfpgan_visibility": 2}, 422, "Visibility 2 is not possible"),
        ("extra-single-image", {"image": PICTURE, "codeformer_visibility": 1}, 422, "CodeFormer cannot be used"),
        ("interrogate", {"image": ""}, 404, "Image not found"),
        ("interrogate", {"image": PICTURE}, 404, "put the folder of an image-to-text model"),
        ("interrogate", {"image": PICTURE, "model": "deepdanbooru"}, 404, "Model 'deepdanbooru' not found"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_remedy(
    client: httpx.AsyncClient, upscaling: FakeEngine, route: str, body: dict[str, Any], status: int, words: str
) -> None:
    answer = await client.post(f"/sdapi/v1/{route}", json=body)
    assert answer.status_code == status
    assert words in answer.text.replace('\\"', '"').replace("\\u0027", "'")
    assert upscaling.services.store.jobs.page()[1] == 0


async def test_a_folder_is_for_the_jobs_api(client: httpx.AsyncClient, upscaling: FakeEngine, tmp_path: Path) -> None:
    answer = await client.post("/sdapi/v1/extra-single-image", json={"input_dir": str(tmp_path)})
    assert answer.status_code == 404


async def test_what_is_on_a_picture(client: httpx.AsyncClient, upscaling: FakeEngine, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "interrogate" / "blip"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "blip"}))
    (folder / "model.safetensors").write_bytes(b"x")
    for body in ({"image": PICTURE, "model": "clip"}, {"image": PICTURE}, {"image": PICTURE, "model": "blip"}):
        answer = await client.post("/sdapi/v1/interrogate", json=body)
        assert (answer.status_code, answer.json()) == (200, {"caption": "a red heart"})
