"""Whether a UNet predicts the noise or the velocity, from all that can say so."""

import struct
from pathlib import Path

import pytest

from tests.jobs import made_unets as made
from tests.jobs.made_files import Made
from tests.jobs.made_unets import UNET, signs, under
from tests.jobs.models.detection.found_files import found

SD1, SD2, SDXL = signs(made.unet()), signs(made.sd2_unet()), signs(made.sdxl_unet())
_NORM = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"


def norm_values(spread: float, dtype: str) -> bytes:
    """Return 320 numbers whose standard deviation is `spread`."""
    values = [spread if number % 2 else -spread for number in range(320)]
    data = struct.pack(f"<320{'e' if dtype == 'F16' else 'f'}", *values)
    return b"".join(data[at + 2 : at + 4] for at in range(0, len(data), 4)) if dtype == "BF16" else data


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F32"])
@pytest.mark.parametrize(("spread", "said", "side"), [(0.12, "v", 768), (0.05, "epsilon", 512)])
def test_the_values_of_one_norm_tell_a_stable_diffusion_2(
    tmp_path: Path, dtype: str, spread: float, said: str, side: int
) -> None:
    told = found(tmp_path, under(UNET, SD2), dtype=dtype, contents={_NORM: norm_values(spread, dtype)})
    assert (told.family, told.prediction, told.native_side) == ("sd2", said, side)


def test_the_same_under_the_names_of_diffusers(tmp_path: Path) -> None:
    name = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias"
    tensors: Made = {
        "conv_in.weight": (320, 4, 3, 3), "time_embedding.linear_1.weight": (1280, 320), name: (320,),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (320, 1024),
    }  # fmt: skip
    assert found(tmp_path, tensors, contents={name: norm_values(0.12, "F16")}).prediction == "v"


def test_inpainting_and_depth_of_stable_diffusion_2_predict_the_noise(tmp_path: Path) -> None:
    name = _NORM.removeprefix(UNET)
    for channels in (9, 5):
        told = found(tmp_path, signs(made.sd2_unet(channels)), contents={name: norm_values(0.12, "F16")})
        assert told.prediction == "epsilon"


def test_markers_of_sdxl(tmp_path: Path) -> None:
    tensors = SDXL
    for more, said, zero in (
        ({}, "epsilon", False),
        ({"v_pred": ()}, "v", False),
        ({"v_pred": (0,)}, "v", False),
        ({"v_pred": (), "ztsnr": ()}, "v", True),
        ({"ztsnr": ()}, "epsilon", False),
    ):
        told = found(tmp_path, {**tensors, **more})
        assert (told.family, told.prediction, told.zero_terminal_snr) == ("sdxl", said, zero)


def test_models_of_other_noise_are_told(tmp_path: Path) -> None:
    assert found(tmp_path, SDXL | {"edm_mean": (4,), "edm_std": (4,)}).prediction == "edm"
    assert found(tmp_path, SDXL | {"edm_vpred.sigma_max": ()}).prediction == "edm"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('model:\n  params:\n    parameterization: "v"\n', "v"),
        ("model:\n  params:\n    parameterization: v  # velocity\n", "v"),
        ("    parameterization: 'eps'\n", "epsilon"),
        ("    parameterization: volume\n", "epsilon"),
        ("#   parameterization: v\n", "epsilon"),
        ("nothing of it", "epsilon"),
        ("", "epsilon"),
    ],
)
def test_the_yaml_beside_a_file_is_believed_first(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "model.yaml").write_text(text)
    assert found(tmp_path, SD1).prediction == said


def test_the_yaml_outranks_markers(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("parameterization: eps")
    assert found(tmp_path, SDXL | {"v_pred": ()}).prediction == "epsilon"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"modelspec.prediction_type": "v"}, "v"),
        ({"modelspec.prediction_type": "epsilon"}, "epsilon"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v"),
        ({"modelspec.architecture": "stable-diffusion-v2-512"}, "epsilon"),
    ],
)
def test_metadata(tmp_path: Path, metadata: dict[str, str], said: str) -> None:
    assert found(tmp_path, SD2, metadata=metadata).prediction == said


@pytest.mark.parametrize("name", ["noobai_vpred_1.0", "NoobAI-XL-V-Pred", "a v_pred b"])
def test_the_name_speaks_last(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, SDXL, f"{name}.safetensors").prediction == "v"
    metadata = {"modelspec.prediction_type": "epsilon"}
    assert found(tmp_path, SDXL, f"{name}.safetensors", metadata=metadata).prediction == "epsilon"
