"""Models are found where A1111, Forge, ComfyUI and SD.Next have them, whichever of their folders is named."""

import logging
from pathlib import Path

import pytest

from modules.cmd_args import Arguments
from modules.jobs.models.places import Places, places_from_environment
from modules.launcher.serve import child_environment
from modules.paths import DataFolder

A1111 = {
    "models/Stable-diffusion": "checkpoint",
    "models/VAE": "vae",
    "models/VAE-approx": "tiny_decoder",
    "models/Lora": "lora",
    "models/LyCORIS": "lora",
    "models/ESRGAN": "upscaler",
    "models/RealESRGAN": "upscaler",
    "models/GFPGAN": "face_restorer",
    "models/Codeformer": "face_restorer",
    "models/ControlNet": "controlnet",
    "models/text_encoder": "text_encoder",
    "embeddings": "embedding",
    "extensions/sd-webui-controlnet/models": "controlnet",
}
COMFYUI = {
    "models/checkpoints": "checkpoint",
    "models/diffusion_models": "denoiser",
    "models/unet": "denoiser",
    "models/text_encoders": "text_encoder",
    "models/clip": "text_encoder",
    "models/vae": "vae",
    "models/vae_approx": "tiny_decoder",
    "models/loras": "lora",
    "models/embeddings": "embedding",
    "models/upscale_models": "upscaler",
    "models/controlnet": "controlnet",
}
SD_NEXT = {
    "models/Stable-diffusion": "checkpoint",
    "models/Diffusers": "checkpoint",
    "models/UNET": "denoiser",
    "models/Text-encoder": "text_encoder",
    "models/CLIP": "text_encoder",
    "models/Lora": "lora",
    "models/embeddings": "embedding",
    "models/control": "controlnet",
}


def make(root: Path, layout: dict[str, str]) -> Path:
    for name in (*layout, "models/deepbooru", "models/.git", "outputs"):
        (root / name).mkdir(parents=True)
    return root


def kinds_of(places: Places, root: Path) -> dict[str, str]:
    """Return the kinds of the folders that are there."""
    return {one.folder.relative_to(root).as_posix(): one.kind for one in places.now() if one.folder.is_dir()}


@pytest.mark.parametrize("layout", [A1111, COMFYUI, SD_NEXT], ids=["A1111", "ComfyUI", "SD.Next"])
@pytest.mark.parametrize("named", [".", "models"])
def test_the_folders_of_each_program_are_known(tmp_path: Path, layout: dict[str, str], named: str) -> None:
    make(tmp_path, layout)
    assert kinds_of(Places([tmp_path / named]), tmp_path) == layout


def test_letters_may_be_large_or_small_and_a_folder_may_come_later(tmp_path: Path) -> None:
    places = Places([tmp_path])
    assert kinds_of(places, tmp_path) == {}
    for name in ("STABLE-DIFFUSION", "Loras", "Vae"):
        (tmp_path / name).mkdir()
    assert kinds_of(places, tmp_path) == {"STABLE-DIFFUSION": "checkpoint", "Loras": "lora", "Vae": "vae"}


def test_a_folder_of_one_kind_may_be_named_itself(tmp_path: Path) -> None:
    (tmp_path / "Stable-diffusion" / "styles").mkdir(parents=True)
    assert kinds_of(Places([tmp_path / "Stable-diffusion"]), tmp_path) == {"Stable-diffusion": "checkpoint"}


def test_folders_of_one_kind_are_added_once(tmp_path: Path) -> None:
    (tmp_path / "Lora").mkdir()
    places = Places([tmp_path], {"lora": [tmp_path / "Lora", tmp_path / "more"], "vae": [tmp_path / "v"]})
    assert [(one.kind, one.folder.name) for one in places.now() if one.root != tmp_path.parent] == [
        ("lora", "Lora"),
        ("lora", "more"),
        ("vae", "v"),
    ]


def test_the_launcher_tells_its_children_where_models_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own" / "vae").mkdir(parents=True)
    (tmp_path / "extra.yaml").write_text("one:\n  loras: here\n")
    for name, value in child_environment(
        Arguments(
            models_dir=(str(tmp_path / "own"),),
            lora_dir=(str(tmp_path / "l"),),
            extra_model_paths_config=(str(tmp_path / "extra.yaml"),),
        ),
        DataFolder(tmp_path),
    ).items():
        monkeypatch.setenv(name, value)
    found = [(one.kind, one.folder) for one in places_from_environment().now() if one.folder.is_relative_to(tmp_path)]
    assert found == [("vae", tmp_path / "own" / "vae"), ("lora", tmp_path / "l"), ("lora", tmp_path / "here")]


# As ComfyUI's example has it, filled in as people do.
EXTRA_MODEL_PATHS = """
#Rename this to extra_model_paths.yaml
a111:
    base_path: {a1111}

    checkpoints: models/Stable-diffusion
    configs: models/Stable-diffusion
    vae: models/VAE
    loras: |
         models/Lora
         models/LyCORIS

    upscale_models: |
                  models/ESRGAN
                  models/SwinIR
    embeddings: embeddings
    controlnet: models/ControlNet
comfyui:
    is_default: true
    base_path: $STEADY_TEST_BASE
    unet: models/unet/
    clip: [models/clip, models/more]
    my_own_kind: models/mine
other_ui:
"""


def test_extra_model_paths_are_read_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADY_TEST_BASE", str(tmp_path / "base"))
    comfyui = tmp_path / "ComfyUI"
    (comfyui / "models").mkdir(parents=True)
    text = EXTRA_MODEL_PATHS.format(a1111="../a1111")
    (comfyui / "extra_model_paths.yaml").write_text(text)
    expected = [
        ("denoiser", "base/models/unet"),
        ("text_encoder", "base/models/clip"),
        ("text_encoder", "base/models/more"),
        ("checkpoint", "a1111/models/Stable-diffusion"),
        ("vae", "a1111/models/VAE"),
        ("lora", "a1111/models/Lora"),
        ("lora", "a1111/models/LyCORIS"),
        ("upscaler", "a1111/models/ESRGAN"),
        ("upscaler", "a1111/models/SwinIR"),
        ("embedding", "a1111/embeddings"),
        ("controlnet", "a1111/models/ControlNet"),
    ]
    for places in (
        Places([comfyui]),
        Places([comfyui / "models"]),
        Places([], {}, [comfyui / "extra_model_paths.yaml"]),
    ):
        found = [
            (one.kind, one.folder.relative_to(tmp_path).as_posix())
            for one in places.now()
            if not one.folder.is_relative_to(comfyui)
        ]
        assert found == expected


def test_extra_model_paths_are_read_again_when_they_change(tmp_path: Path) -> None:
    config = tmp_path / "extra_model_paths.yaml"
    places = Places([], {}, [config])
    assert places.now() == ()
    config.write_text("one:\n  vae: here\n")
    assert [one.folder for one in places.now()] == [tmp_path / "here"]
    config.write_text("one:\n  vae: elsewhere\n")
    assert [one.folder for one in places.now()] == [tmp_path / "elsewhere"]


@pytest.mark.parametrize(
    "text",
    [
        b"- a\n- list\n", b"a: [", b"\xff\xfe\x00", b"x: 5\n", b"one: {vae: {deep: 1}, 7: x, lora: null}",
        b"one: !!python/object/apply:os.system ['true']\n", b"[" * 100_000, b"a: &a [*a]\n", b"#" * 300_000,
    ],
    ids=["a list", "half", "bytes", "a number", "odd values", "code", "deep", "itself", "large"],
)  # fmt: skip
def test_extra_model_paths_that_make_no_sense_name_nothing(
    tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "extra_model_paths.yaml").write_bytes(text)
    (tmp_path / "vae").mkdir()
    places = Places([tmp_path])
    with caplog.at_level(logging.WARNING):
        assert kinds_of(places, tmp_path) == {"vae": "vae"}
        told = len(caplog.records)
        assert kinds_of(places, tmp_path) == {"vae": "vae"}
    assert len(caplog.records) == told <= 1  # what is wrong is not told again at each look
