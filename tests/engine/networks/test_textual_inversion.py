"""Textual inversions in every form that people have them in, for the encoders of a model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from modules.engine.families.known import FAMILIES
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.networks.textual_inversion import by_encoder, read_vectors
from modules.errors import ModelError
from tests.engine.networks.lora_files import numbers
from tests.engine.tiny_models import named
from tests.engine.tiny_models.parts import WIDTH

VECTORS = numbers(3, WIDTH)


def read(path: Path) -> dict[str, torch.Tensor]:
    return dict(read_vectors(path, lambda done: None))


def model(pipeline: Any, family: str) -> LoadedModel:
    return LoadedModel(ModelKey(Path(family), "x", "float32"), FAMILIES[family], pipeline, None)


@pytest.mark.parametrize(
    "held",
    [
        {"string_to_param": {"*": VECTORS}, "string_to_token": {"*": 265}, "name": "other", "step": 100},
        {"<sprig>": VECTORS},
        {"emb_params": torch.nn.Parameter(VECTORS)},
    ],
)
def test_pickles_of_a1111_and_of_diffusers(tmp_path: Path, held: dict[str, Any]) -> None:
    torch.save(held, tmp_path / "sprig.pt")
    (found,) = read(tmp_path / "sprig.pt").values()
    assert torch.equal(found, VECTORS)


def test_safetensors_of_one_encoder_and_of_two(tmp_path: Path) -> None:
    file = tmp_path / "sprig.safetensors"
    for name, tensor in (("emb_params", VECTORS.half()), ("<sprig>", VECTORS[0])):
        save_file({name: tensor.contiguous()}, file)
        ((found),) = read(file).values()
        assert found.dtype == torch.float32
        assert torch.allclose(found, tensor.float().reshape(-1, WIDTH))
        assert set(by_encoder(read(file), model(named.stable_diffusion(), "sd1"))) == {"text_encoder"}
    second = numbers(3, WIDTH, seed=1)
    for first_name, second_name in (("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1")):
        save_file({first_name: VECTORS, second_name: second}, file)
        found_for = by_encoder(read(file), model(named.stable_diffusion_xl(), "sdxl"))
        assert torch.equal(found_for["text_encoder"], VECTORS)
        assert torch.equal(found_for["text_encoder_2"], second)
    assert torch.equal(by_encoder(read(file), model(named.flux(), "flux"))["text_encoder"], VECTORS)


def test_what_does_not_go_with_a_model_says_why(tmp_path: Path) -> None:
    save_file({"emb_params": numbers(2, WIDTH + 8)}, tmp_path / "wide.safetensors")
    with pytest.raises(ValueError, match=f"vectors of {WIDTH + 8} numbers, and sd1 reads {WIDTH}"):
        by_encoder(read(tmp_path / "wide.safetensors"), model(named.stable_diffusion(), "sd1"))
    save_file({"emb_params": VECTORS}, tmp_path / "one.safetensors")
    with pytest.raises(ValueError, match="no vectors for the text_encoder of sdxl"):
        by_encoder(read(tmp_path / "one.safetensors"), model(named.stable_diffusion_xl(), "sdxl"))
    with pytest.raises(ValueError, match="z-image reads no textual inversions"):
        by_encoder(read(tmp_path / "one.safetensors"), model(named.z_image(), "z-image"))


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"clip_l": numbers(2, 8), "clip_g": numbers(3, 8)}, "more vectors for one text encoder than for the other"),
        ({"emb_params": torch.full((1, 8), torch.inf)}, "holds no vectors of numbers"),
        ({"emb_params": numbers(1, 2, 3)}, "holds no vectors of numbers"),
        ({"a": numbers(1, 8), "b": numbers(1, 8)}, "holds no textual inversion"),
        ({"emb_params": torch.ones(2, 8, dtype=torch.int64)}, "holds no textual inversion"),
    ],
)
def test_files_that_are_none(tmp_path: Path, held: dict[str, torch.Tensor], why: str) -> None:
    save_file(held, tmp_path / "bad.safetensors")
    with pytest.raises(ModelError, match=rf"bad\.safetensors .*{why}.*: use another file"):
        read(tmp_path / "bad.safetensors")


def test_a_pickle_that_holds_more_than_weights_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"string_to_param": Path("/etc/passwd")}, tmp_path / "old.pt")
    with pytest.raises(ModelError, match=r"old\.pt holds more than weights .*: use a safetensors of it"):
        read(tmp_path / "old.pt")
