"""Numbers of eight bits: plain ones are taken as they are, scaled ones times their scale, others told of by name."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.errors import ModelError
from tests.engine.models.single_file.comparing import load
from tests.engine.tiny_files import Both

PREFIX = "model.diffusion_model."
QUERY = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
QUERY_HERE = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"


def in_eight_bits(sd1: Both, target: Path, extra: dict[str, torch.Tensor]) -> torch.Tensor:
    """Write the model with the denoiser's weights in fp8, and return those of a query as they are there."""
    tensors = load_file(sd1.file)
    for name, one in tensors.items():
        if name.startswith(PREFIX) and name.endswith(".weight"):
            tensors[name] = one.to(torch.float8_e4m3fn)
    save_file(tensors | extra, target)
    stored: torch.Tensor = tensors[f"{PREFIX}{QUERY}.weight"].float()
    return stored


@pytest.mark.parametrize(("suffix", "scale"), [("scale_weight", [3.0]), ("weight_scale", [0.5] * 16 + [2.0] * 16)])
def test_scaled_numbers_are_multiplied_by_their_scale(
    tmp_path: Path, sd1: Both, suffix: str, scale: list[float]
) -> None:
    file = tmp_path / "scaled.safetensors"
    extra = {f"{PREFIX}{QUERY}.{suffix}": torch.tensor(scale), f"{PREFIX}scaled_fp8": torch.empty(2)}
    stored = in_eight_bits(sd1, file, extra)
    loaded = load(file).pipeline.unet.state_dict()[QUERY_HERE]
    assert torch.equal(loaded, stored * torch.tensor(scale).reshape(-1, 1))


def test_plain_numbers_are_taken_as_they_are(tmp_path: Path, sd1: Both) -> None:
    file = tmp_path / "plain.safetensors"
    stored = in_eight_bits(sd1, file, {})
    assert torch.equal(load(file, dtype="bfloat16").pipeline.unet.state_dict()[QUERY_HERE], stored.bfloat16())


def test_numbers_that_cannot_be_read_are_told_of(tmp_path: Path, sd1: Both) -> None:
    file = tmp_path / "blocks.safetensors"
    in_eight_bits(sd1, file, {f"{PREFIX}{QUERY}.weight_scale": torch.ones(32, 2)})
    with pytest.raises(ModelError, match=r"is stored as .* scaled in blocks, which .* in bf16, fp16 or fp8"):
        load(file)
