"""How numbers are stored: what is read, and what is refused by its name with a way out."""

import json
from pathlib import Path

import pytest

from modules.jobs.models.detection.detect import detect
from modules.jobs.models.gguf_file import TYPES
from tests.jobs import made_transformers
from tests.jobs.made_files import Made, write_gguf
from tests.jobs.made_unets import UNET, sd1, sd2_unet
from tests.jobs.models.detection.found_files import found

FLUX = made_transformers.flux()
_LAYER = "double_blocks.0.img_attn.qkv"


def flux_with(dtype: str, **more: tuple[str, tuple[int, ...]]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return Flux with its weights in a kind of number, and more tensors for one of its layers."""
    extra = {f"{_LAYER}.{name.replace('__', '.', 2)}": one for name, one in more.items()}
    return {name: (dtype, shape) for name, shape in FLUX.items()} | extra


SCALE = ("F32", ())
READ: dict[str, tuple[Made, str]] = {
    "fp32": (flux_with("F32"), "fp32"),
    "fp16": (flux_with("F16"), "fp16"),
    "bf16": (flux_with("BF16"), "bf16"),
    "fp8": (flux_with("F8_E4M3"), "fp8_e4m3fn"),
    "fp8, the other": (flux_with("F8_E5M2"), "fp8_e5m2"),
    "fp8 scaled": (flux_with("F8_E4M3", scale_weight=SCALE) | {"scaled_fp8": ("F8_E4M3", (2,))}, "fp8_e4m3fn_scaled"),
    "fp8 scaled by rows": (flux_with("F8_E4M3", weight_scale=("F32", (9216,))), "fp8_e4m3fn_scaled"),
    "fp8 scaled, the other": (flux_with("F8_E5M2", weight_scale=SCALE), "fp8_e5m2_scaled"),
    "most in fp8": (flux_with("F8_E4M3") | {"img_in.weight": ("BF16", (3072, 64))}, "fp8_e4m3fn"),
}
REFUSED: dict[str, tuple[Made, str]] = {
    "nf4": (flux_with("U8", **{"weight__quant_state__bitsandbytes__nf4": ("U8", (200,))}), "nf4"),
    "fp4": (flux_with("U8", **{"weight__quant_state__bitsandbytes__fp4": ("U8", (200,))}), "fp4"),
    "bitsandbytes, old": (flux_with("U8", weight__absmax=("F32", (9,))), "4 bits of bitsandbytes"),
    "int8 of bitsandbytes": (flux_with("I8", SCB=("F32", (9216,))), "int8 of bitsandbytes"),
    "nunchaku": (flux_with("I8", qweight=("I8", (9216, 1536)), wscales=("BF16", (48, 9216))), "nunchaku"),
    "GPTQ": (flux_with("I32", qweight=("I32", (384, 9216)), qzeros=("I32", (1,))), "GPTQ or AWQ"),
    "SDNQ": (flux_with("U8", scale=("F32", (9216, 1))), "SDNQ"),
    "SDNQ with zero points": (flux_with("U8", zero_point=("F32", (9216, 1))), "SDNQ"),
    "nvfp4": (flux_with("U8", weight_scale=("F8_E4M3", (9216, 192)), weight_scale_2=SCALE), "nvfp4"),
    "mxfp8": (flux_with("F8_E4M3", weight_scale=("F8_E8M0", (9216, 96))), "mxfp8"),
    "fp8 in blocks": (flux_with("F8_E4M3", weight_scale=("F32", (72, 24))), "fp8_e4m3fn scaled in blocks"),
    "int8 with a scale": (flux_with("I8", weight_scale=SCALE), "int8"),
    "int8": (flux_with("I8"), "int8"),
    "numbers of no float": (flux_with("I64"), "I64"),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read(tmp_path: Path, name: str) -> None:
    tensors, expected = READ[name]
    told = found(tmp_path, tensors)
    assert (told.family, told.number_format, told.problem) == ("flux", expected, None)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    tensors, expected = REFUSED[name]
    told = found(tmp_path, tensors)
    assert (told.family, told.number_format) == ("flux", expected)
    assert told.problem is not None
    assert f"as {expected}," in told.problem
    assert told.problem.endswith("use the same model in fp16, bf16 or fp8")


@pytest.mark.parametrize("prefix", ["", UNET])
@pytest.mark.parametrize(
    ("said", "dtype", "expected", "read"),
    [
        ("float8_e4m3fn", "F8_E4M3", "fp8_e4m3fn_scaled", True),
        ("float8_e5m2", "F8_E5M2", "fp8_e5m2_scaled", True),
        ("int8_tensorwise", "I8", "int8_scaled", True),
        ("nvfp4", "U8", "nvfp4", False),
        ("convrot_w4a4", "U8", "convrot_w4a4", False),
    ],
)
def test_a_layer_that_says_its_format_is_asked(
    tmp_path: Path, said: str, dtype: str, expected: str, read: bool, prefix: str
) -> None:
    data = json.dumps({"format": said}).encode()
    tensors = flux_with(dtype, weight_scale=SCALE, comfy_quant=("U8", (len(data),)))
    tensors = {prefix + name: one for name, one in tensors.items()}
    told = found(tmp_path, tensors, contents={f"{prefix}{_LAYER}.comfy_quant": data})
    assert (told.number_format, told.problem is None) == (expected, read)


def test_metadata_that_say_the_format_are_asked(tmp_path: Path) -> None:
    for said, expected in {"float8_e4m3fn": "fp8_e4m3fn_scaled", "asym_w4a8": "asym_w4a8"}.items():
        metadata = {"_quantization_metadata": json.dumps({"layers": {_LAYER: {"format": said}}})}
        assert found(tmp_path, flux_with("F8_E4M3"), metadata=metadata).number_format == expected


@pytest.mark.parametrize("data", [b"", b"no json", b"[1]", b"\xff\xff", b"[" * 3000, b'{"format": 5}'])
def test_a_layer_that_says_nonsense_is_no_reason_to_fail(tmp_path: Path, data: bytes) -> None:
    tensors = flux_with("F8_E4M3", comfy_quant=("U8", (len(data),)))
    told = found(tmp_path, tensors, contents={f"{_LAYER}.comfy_quant": data})
    assert told.family == "flux"
    assert told.problem is not None


@pytest.mark.parametrize("said", ["", "no json", "[1]", '{"layers": [1]}', '{"layers": {"a": 1}}', "[" * 100_000])
def test_metadata_that_say_nonsense_are_no_reason_to_fail(tmp_path: Path, said: str) -> None:
    told = found(tmp_path, FLUX, metadata={"_quantization_metadata": said})
    assert (told.number_format, told.problem) == ("fp16", None)


def test_norms_with_a_scale_are_no_quantised_layers(tmp_path: Path) -> None:
    assert "double_blocks.0.img_attn.norm.key_norm.scale" in FLUX
    assert found(tmp_path, FLUX, dtype="F8_E4M3").number_format == "fp8_e4m3fn"


def test_the_format_is_that_of_the_denoiser(tmp_path: Path) -> None:
    """Text encoders are often stored otherwise, and are larger."""
    tensors = {name: ("F32" if not name.startswith(UNET) else "F16", shape) for name, shape in sd1().items()}
    assert found(tmp_path, tensors).number_format == "fp16"


@pytest.mark.parametrize("kind", [kind.name for kind in TYPES.values()])
def test_every_kind_of_gguf_is_read_or_refused_by_its_name(tmp_path: Path, kind: str) -> None:
    tensors = {"img_in.weight": ("F32", (3072, 64)), **{name: ("F32", one) for name, one in FLUX.items()}}
    told = detect(write_gguf(tmp_path / "flux.gguf", {**tensors, _LAYER + ".weight": (kind, (9216, 3072))}))
    assert (told.container, told.family, told.variant) == ("gguf", "flux", "dev")
    refused = kind in ("Q8_1", "Q8_K", "Q1_0", "I8", "I16", "I32", "I64", "F64")
    assert (told.problem is not None) == refused
    if refused:
        assert told.number_format == kind
        assert "use the same model in Q8_0 or Q4_K" in str(told.problem)


def test_most_numbers_name_a_gguf(tmp_path: Path) -> None:
    tensors: Made = {"img_in.weight": ("F32", (3072, 64)), **{name: ("F32", one) for name, one in FLUX.items()}}
    large: Made = {**tensors, _LAYER + ".weight": ("Q4_K", (9216, 30720))}
    assert detect(write_gguf(tmp_path / "flux.gguf", large)).number_format == "Q4_K"


def test_a_unet_in_gguf_is_known_by_the_shapes_that_it_had(tmp_path: Path) -> None:
    """Their convolutions are stored flat, with their true shapes beside them."""
    shapes = {name: shape for name, shape in sd2_unet().items() if len(shape) == 4 or "attn2.to_k" in name}
    flat = {name: (1, _product(shape)) if len(shape) == 4 else shape for name, shape in shapes.items()}
    keys = {f"comfy.gguf.orig_shape.{name}": list(one) for name, one in shapes.items() if len(one) == 4}
    told = detect(write_gguf(tmp_path / "sd2.gguf", flat, "F16", keys))
    assert (told.family, told.variant, told.problem) == ("sd2", "", None)


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product
