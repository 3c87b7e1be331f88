"""Single files of flow models: the weights, buffers and settings of the same model in diffusers layout."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from modules.errors import ModelError
from tests.engine import tiny_flow_files
from tests.engine.models.single_file.comparing import load, networks_of, same_weights, settings_of, stock_of
from tests.engine.tiny_files import Both

FAMILIES = ("sd3", "flux", "chroma", "z-image", "qwen-image", "flux2-klein")
# What Qwen-Image reads words with also sees pictures, which nothing asks it to.
SEEN = "model.visual"


def buffers_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return all, also those that no file holds."""
    return {name: one for name, one in network.named_buffers() if not name.startswith(SEEN)}


@pytest.fixture(scope="module", params=FAMILIES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """A model of a family, as a folder and as a file."""
    made: Both = getattr(tiny_flow_files, request.param.replace("-", "_"))(tmp_path_factory.mktemp(request.param))
    return made


def without_sight(network: Any) -> Any:
    if hasattr(network, "model") and hasattr(network.model, "visual"):
        network.model.visual = None
    return network


def test_a_file_is_its_folder_to_the_bit(both: Both) -> None:
    stock = stock_of(both.folder)
    ours = load(both.file, both.file.stem).pipeline
    assert type(ours) is type(stock)
    for name, expected in networks_of(stock).items():
        found = getattr(ours, name)
        assert same_weights(without_sight(expected), found), name
        ours_held, theirs_held = buffers_of(found), buffers_of(expected)
        assert ours_held.keys() == theirs_held.keys()
        assert all(torch.equal(one, ours_held[key]) for key, one in theirs_held.items()), name
        assert _comparable(found) == _comparable(expected), name
    assert settings_of(ours.scheduler) == settings_of(stock.scheduler)
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        if hasattr(stock, name):
            expected = getattr(stock, name) or tiny_flow_files.qwen_tokenizer()
            assert getattr(ours, name)("A cat, 8k!").input_ids == expected("A cat, 8k!").input_ids
    words = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        read, expected = (one.text_encoder(words, output_hidden_states=True) for one in (ours, stock))
    assert torch.equal(read.hidden_states[-1], expected.hidden_states[-1])


def _comparable(network: nn.Module) -> dict[str, Any]:
    """Return the settings without what only generating text asks for."""
    ignored = {"vision_config", "text_config", "use_cache", "is_encoder_decoder", "layer_types", "pad_token_id"}
    return {name: value for name, value in settings_of(network).items() if name not in ignored}


def test_schnell_is_told_by_its_tensors_and_has_a_schedule_of_its_own(tmp_path: Path) -> None:
    both = tiny_flow_files.flux(tmp_path, guidance=False)
    pipeline = load(both.file, "flux", variant="schnell").pipeline
    assert not pipeline.transformer.config.guidance_embeds
    assert (pipeline.scheduler.config.use_dynamic_shifting, pipeline.scheduler.config.shift) == (False, 1.0)


def test_stable_diffusion_3_draws_without_t5_and_names_what_it_cannot_do_without(tmp_path: Path) -> None:
    both = tiny_flow_files.sd3(tmp_path)
    whole = load_file(both.file)
    save_file({name: one for name, one in whole.items() if ".t5xxl." not in name}, both.file)
    assert load(both.file, "sd3").pipeline.text_encoder_3 is None
    save_file({name: one for name, one in whole.items() if ".clip_g." not in name}, both.file)
    with pytest.raises(ModelError, match=r"has no text_encoder_2: put .* clip_g\.safetensors, into"):
        load(both.file, "sd3")
