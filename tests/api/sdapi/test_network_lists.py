"""GET loras and embeddings answer as A1111's do."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from modules.api.services import Services
from tests.jobs.made_files import write_file
from tests.jobs.made_networks import make_embedding, make_lora, make_pair
from tests.jobs.made_unets import sd1


@pytest.fixture
def models(services: Services) -> Path:
    folder = services.catalogue.folders[0]
    metadata = {
        "zz": "1",
        "ss_tag_frequency": json.dumps({"ink": {"splash": 3}}),
        "ss_sd_model_name": "v1-5",
        "ss_output_name": "Ink v2",
        "odd": "{no json",
        "ssmd_cover_images": "[]",
    }
    make_lora(folder / "Lora" / "ink.safetensors", metadata=metadata)
    make_lora(folder / "Lora" / "cut.safetensors").write_bytes(b"short")
    make_embedding(folder / "embeddings" / "EasyNegative.safetensors", vectors=8)
    make_pair(folder / "embeddings" / "sub" / "forXL.safetensors", vectors=3)
    (folder / "embeddings" / "old.pt").write_bytes(b"PK\x03\x04")
    write_file(folder / "Stable-diffusion" / "dream.safetensors", sd1())
    services.catalogue.refresh()
    return folder


async def test_loras_have_names_and_metadata(client: httpx.AsyncClient, models: Path) -> None:
    listed = (await client.get("/sdapi/v1/loras")).json()
    assert listed == [
        {
            "name": "ink",
            "alias": "Ink v2",
            "path": str(models / "Lora" / "ink.safetensors"),
            "metadata": {
                "ss_sd_model_name": "v1-5",
                "ss_tag_frequency": {"ink": {"splash": 3}},
                "zz": "1",
                "ss_output_name": "Ink v2",
                "odd": "{no json",
            },
        }
    ]
    assert list(listed[0]["metadata"])[:2] == ["ss_sd_model_name", "ss_tag_frequency"]
    make_lora(models / "Lora" / "new.safetensors")
    assert (await client.post("/sdapi/v1/refresh-loras")).json() is None
    assert [one["name"] for one in (await client.get("/sdapi/v1/loras")).json()] == ["ink", "new"]


async def test_embeddings_are_loaded_or_skipped_by_the_chosen_model(
    client: httpx.AsyncClient, services: Services, models: Path
) -> None:
    services.options.update({"sd_model_checkpoint": "dream.safetensors"})
    listed = (await client.get("/sdapi/v1/embeddings")).json()
    unknown = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    assert listed == {
        "loaded": {
            "EasyNegative": unknown | {"shape": 768, "vectors": 8},
            "old": unknown | {"shape": 0, "vectors": 0},
        },
        "skipped": {"forXL": unknown | {"shape": 2048, "vectors": 3}},
    }
