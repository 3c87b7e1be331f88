"""Settings that hold the name of a model list those that are there."""

from pathlib import Path

import pytest

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Options
from tests.jobs.made_models import make_vae
from webui.components import hidden_text
from webui.tabs.settings import model_lists


def test_a_file_that_is_gone_stays_chosen(tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_lists, "opts", options)
    make_vae(tmp_path / "VAE" / "bright.safetensors")
    make_vae(tmp_path / "VAE" / "broken.safetensors", first="conv.weight")
    options.update({"sd_vae": "gone.safetensors"})
    shown = model_lists.current(
        {name: hidden_text(name) for name in model_lists.LISTS}, CheckpointCatalogue([tmp_path])
    )
    listed = {name: one["choices"] for name, one in shown.items()}
    assert listed["sd_vae"] == ["Automatic", "None", "bright.safetensors", "gone.safetensors"]
    assert listed["upscaler_for_img2img"] == ["None", "Lanczos", "Nearest"]
    assert all("value" not in one for one in shown.values())
