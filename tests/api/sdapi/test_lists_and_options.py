"""The lists and settings that clients read before they draw."""

import base64
import json
from pathlib import Path

import httpx
import pytest

from modules.api.services import Services
from tests.api.conftest import make_model, plain_png
from tests.jobs import made_transformers, made_unets
from tests.jobs.made_files import write_file

LISTS_THAT_ARE_EMPTY = [
    "sd-vae", "hypernetworks", "face-restorers", "realesrgan-models", "prompt-styles", "loras",
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS_THAT_ARE_EMPTY)
async def test_what_is_not_there_is_an_empty_list(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/sdapi/v1/{name}")
    assert answer.status_code == 200
    assert answer.json() == []


async def test_forms_of_the_lists(client: httpx.AsyncClient) -> None:
    async def get(name: str) -> object:
        return (await client.get(f"/sdapi/v1/{name}")).json()

    samplers = await get("samplers")
    assert isinstance(samplers, list)
    assert {"Euler", "Euler a", "DPM++ 2M", "UniPC"} <= {sampler["name"] for sampler in samplers}
    assert all(set(sampler) == {"name", "aliases", "options"} for sampler in samplers)
    schedulers = await get("schedulers")
    assert isinstance(schedulers, list)
    assert schedulers[0]["label"] == "Automatic"
    assert all(set(one) == {"name", "label", "aliases", "default_rho", "need_inner_model"} for one in schedulers)
    upscalers = await get("upscalers")
    assert isinstance(upscalers, list)
    assert [one["name"] for one in upscalers] == ["None", "Lanczos", "Nearest"]
    assert all(set(one) == {"name", "model_name", "model_path", "model_url", "scale"} for one in upscalers)
    modes = await get("latent-upscale-modes")
    assert modes == [
        {"name": f"Latent{how}"}
        for how in ("", " (antialiased)", " (bicubic)", " (bicubic antialiased)", " (nearest)", " (nearest-exact)")
    ]
    assert await get("embeddings") == {"loaded": {}, "skipped": {}}
    grids = ["prompt matrix", "prompts from file or textbox", "x/y/z plot"]
    assert await get("scripts") == {"txt2img": grids, "img2img": [*grids, "sd upscale"]}
    scripts = await get("script-info")
    assert isinstance(scripts, list)
    assert all(set(one) == {"name", "is_alwayson", "is_img2img", "args"} for one in scripts)
    assert [(one["name"], one["is_img2img"], len(one["args"])) for one in scripts] == [
        *((name, tab, count) for tab in (False, True) for name, count in zip(grids, (5, 4, 18), strict=True)),
        ("sd upscale", True, 4),
    ]
    assert scripts[0]["args"][4] == {
        "label": "Grid margins (px)", "value": 0, "minimum": 0, "maximum": 500, "step": 2, "choices": None
    }  # fmt: skip
    assert [scripts[number]["args"][0]["choices"][5] for number in (2, 5)] == ["Hires steps", "CFG Scale"]
    flags = await get("cmd-flags")
    assert isinstance(flags, dict)
    assert flags["port"] == 7860
    memory = await get("memory")
    assert isinstance(memory, dict)
    assert memory["ram"]["total"] > memory["ram"]["free"] > 0
    assert "cuda" in memory


async def test_models_have_unique_titles_and_refresh_finds_new_ones(client: httpx.AsyncClient, tmp_path: Path) -> None:
    models = (await client.get("/sdapi/v1/sd-models")).json()
    assert len(models) == 1
    model = models[0]
    assert set(model) == {"title", "model_name", "hash", "sha256", "filename", "config"}
    assert model["title"] == f"emoji [{model['hash']}]"
    assert model["sha256"].startswith(model["hash"])
    make_model(tmp_path / "models", "another")
    for kind in ("checkpoints", "vae", "embeddings", "loras"):
        answer = await client.post(f"/sdapi/v1/refresh-{kind}")
        assert answer.content == b"null"
    models = (await client.get("/sdapi/v1/sd-models")).json()
    assert [model["model_name"] for model in models] == ["another", "emoji"]


async def test_files_are_listed_as_other_programs_do(client: httpx.AsyncClient, tmp_path: Path) -> None:
    models = tmp_path / "models"
    write_file(models / "Stable-diffusion" / "old" / "v1.safetensors", made_unets.sd1())
    (models / "Stable-diffusion" / "old" / "v1.yaml").write_text("model: {}")
    write_file(models / "text_encoder" / "clip_l.safetensors", made_unets.clip())
    write_file(models / "VAE" / "soft.safetensors", made_transformers.vae_of(4))
    lora = {"lora_unet_mid.lora_down.weight": (4, 320), "lora_unet_mid.lora_up.weight": (320, 4)}
    write_file(models / "Lora" / "styles" / "ink.safetensors", lora)
    await client.post("/sdapi/v1/refresh-checkpoints")

    async def get(name: str) -> list[dict[str, object]]:
        answer: list[dict[str, object]] = (await client.get(f"/sdapi/v1/{name}")).json()
        return answer

    (model,) = [one for one in await get("sd-models") if one["model_name"] != "emoji"]
    assert model == {
        "title": "old/v1.safetensors",  # it is too large to be hashed at once
        "model_name": "old_v1",
        "hash": None,
        "sha256": None,
        "filename": str(models / "Stable-diffusion" / "old" / "v1.safetensors"),
        "config": str(models / "Stable-diffusion" / "old" / "v1.yaml"),
    }
    vae = {"model_name": "soft.safetensors", "filename": str(models / "VAE" / "soft.safetensors")}
    clip = {"model_name": "clip_l.safetensors", "filename": str(models / "text_encoder" / "clip_l.safetensors")}
    assert await get("sd-vae") == [vae]
    assert await get("sd-modules") == [clip, vae]
    path = str(models / "Lora" / "styles" / "ink.safetensors")
    assert await get("loras") == [{"name": "ink", "alias": "ink", "path": path, "metadata": {}}]


async def test_an_odd_folder_that_appears_while_running_hides_no_other(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    odd = make_model(tmp_path / "models", "odd")
    weights = {"weight_map": {"a": 1, "b": None}}
    (odd / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(weights))
    (make_model(tmp_path / "models", "deep") / "model_index.json").write_text("[" * 200_000)
    assert (await client.post("/sdapi/v1/refresh-checkpoints")).status_code == 200
    models = (await client.get("/sdapi/v1/sd-models")).json()
    assert [model["model_name"] for model in models] == ["emoji"]
    request = {"override_settings": {"sd_model_checkpoint": "odd"}}
    answer = await client.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": request})
    assert answer.status_code == 422
    assert "names 1 as a file of weights" in answer.text
    answer = await client.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": {}})
    assert answer.status_code == 200


async def test_a_full_echo_of_the_options_changes_nothing(client: httpx.AsyncClient, services: Services) -> None:
    before = services.options.values
    options = (await client.get("/sdapi/v1/options")).json()
    assert options["sd_model_checkpoint"].startswith("emoji [")
    assert options["sd_model_checkpoint"].endswith(f"{options['sd_checkpoint_hash'][:10]}]")
    answer = await client.post("/sdapi/v1/options", json=options)
    assert answer.status_code == 200
    assert answer.content == b"null"
    assert services.options.values == before


async def test_options_are_set_by_title_and_told_as_an_event(
    client: httpx.AsyncClient, services: Services, tmp_path: Path
) -> None:
    make_model(tmp_path / "models", "another")
    services.catalogue.refresh()
    title = services.catalogue.find("another").title
    number = services.store.events.last()
    answer = await client.post("/sdapi/v1/options", json={"sd_model_checkpoint": title, "no_such_setting": 1})
    assert answer.content == b"null"
    assert services.options.values.sd_model_checkpoint == "another"
    assert [event.kind for event in services.store.events.after(number)] == ["settings"]


async def test_one_bad_option_changes_none(client: httpx.AsyncClient, services: Services) -> None:
    changes = {"samples_save": False, "show_progress_every_n_steps": 1000}
    answer = await client.post("/sdapi/v1/options", json=changes)
    assert answer.status_code == 422
    assert "1000" in answer.json()["errors"]
    assert services.options.values.samples_save is True
    answer = await client.post("/sdapi/v1/options", json={"samples_save": False, "sd_model_checkpoint": "nothing"})
    assert answer.status_code == 422
    assert "emoji" in answer.json()["errors"]
    assert services.options.values.samples_save is True


async def test_a_leaving_server_writes_no_settings(client: httpx.AsyncClient, services: Services) -> None:
    services.shutdown.leave()
    answer = await client.post("/sdapi/v1/options", json={"samples_save": False})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["connection"] == "close"
    assert services.options.values.samples_save is True
    assert (await client.get("/sdapi/v1/options")).status_code == 200


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
async def test_png_info_reads_what_a_picture_says(client: httpx.AsyncClient, prefix: str) -> None:
    infotext = "red heart\nSteps: 20, Sampler: Euler, Seed: 5, Size: 64x64"
    image = prefix + base64.b64encode(plain_png(5, 64, 64, infotext)).decode()
    content = (await client.post("/sdapi/v1/png-info", json={"image": image})).json()
    assert set(content) >= {"info", "items", "parameters"}
    assert (content["info"], content["items"]["parameters"]) == (infotext, infotext)
    # As A1111's own parser has it, and as requests do.
    told = content["parameters"]
    assert (told["Steps"], told["Size-1"], told["RNG"], told["Schedule type"]) == ("20", "64", "GPU", "Automatic")
    assert (told["steps"], told["width"], told["prompt"]) == (20, 64, "red heart")


@pytest.mark.parametrize("image", [None, "", "%%%", "http://127.0.0.1/a.png", base64.b64encode(b"no picture").decode()])
async def test_png_info_of_what_is_no_picture_is_a_422(client: httpx.AsyncClient, image: str | None) -> None:
    answer = await client.post("/sdapi/v1/png-info", json={"image": image})
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_errors_have_one_form(client: httpx.AsyncClient) -> None:
    missing = await client.get("/sdapi/v1/no-such-route")
    assert missing.status_code == 404
    assert set(missing.json()) == {"error", "detail", "body", "errors"}
    wrong = await client.get("/sdapi/v1/interrupt")
    assert wrong.status_code == 405
    assert "POST" in wrong.headers["allow"]
    invalid = await client.get("/sdapi/v1/jobs?limit=many")
    assert invalid.status_code == 422
    assert "limit" in invalid.json()["errors"]


async def test_the_schema_describes_txt2img(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    body = schema["paths"]["/sdapi/v1/txt2img"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "prompt" in body["properties"]


async def test_the_documentation_names_every_route_and_loads_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    for path in (await client.get("/openapi.json")).json()["paths"]:
        assert path in answer.text
    assert "negative_prompt" in answer.text
    assert "<script" not in answer.text
    assert "http" not in answer.text.replace("<!doctype html>", "").replace("</html", "")


async def test_upscalers_in_files_are_listed_as_a1111_lists_them(client: httpx.AsyncClient, tmp_path: Path) -> None:
    for name in ("ESRGAN/4x-UltraSharp.pth", "RealESRGAN/RealESRGAN_x2plus.pth", "GFPGAN/GFPGANv1.4.pth"):
        (tmp_path / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / name).write_bytes(b"\x80\x02}.")
    path = tmp_path / "models" / "ESRGAN" / "4x-UltraSharp.pth"
    await client.post("/sdapi/v1/refresh-checkpoints")
    upscalers = (await client.get("/sdapi/v1/upscalers")).json()
    assert upscalers[3:] == [
        {
            "name": "4x-UltraSharp",
            "model_name": "4x-UltraSharp",
            "model_path": str(path),
            "model_url": None,
            "scale": 4,
        },
        upscalers[4],
    ]
    assert (upscalers[4]["name"], upscalers[4]["scale"]) == ("RealESRGAN_x2plus", 2)
    real = (await client.get("/sdapi/v1/realesrgan-models")).json()
    assert [(one["name"], one["scale"], Path(one["path"]).name) for one in real] == [
        ("RealESRGAN_x2plus", 2, "RealESRGAN_x2plus.pth")
    ]
    # Nothing finds the faces for it yet.
    assert (await client.get("/sdapi/v1/face-restorers")).json() == []
    (tmp_path / "models" / "GFPGAN" / "detection_Resnet50_Final.pth").write_bytes(b"\x80\x02}.")
    assert (await client.get("/sdapi/v1/face-restorers")).json() == [{"name": "GFPGAN", "cmd_dir": None}]
