"""Every pipeline that has a tiny model does what `docs/models.md` says, and draws what diffusers alone draws."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import diffusers
import pytest
import torch
from diffusers import (
    DiffusionPipeline,
    EDMDPMSolverMultistepScheduler,
    EDMEulerScheduler,
    EulerDiscreteScheduler,
)
from torch import nn

from modules.engine.families.base import Asked, vae_of
from modules.engine.families.generic import Generic
from modules.engine.families.known import BY_CLASS
from modules.engine.models.devices import Denoiser
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.loading import describe_denoiser
from modules.engine.work.decoding import decode
from modules.engine.work.encoding import PromptEncoder
from modules.engine.work.sampling import Batch
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.other_pipelines import GENERIC, NEEDS
from modules.paths import ROOT
from tests.engine.tiny_models.registry import TINY_MODELS, WITHOUT_MODEL, tiny_model
from tests.engine.tiny_models.trial import SIZE, Trial

PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
# Classes of folders whose models are those of another class, told by their names.
SAME_MODELS = ("Img2Img", "Inpaint", "InstructPix2Pix", "Text2Img")
SDXL, REFINER = "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline, refiner"


def generator_of_page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_models", ROOT / "docs" / "generate_models.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trial]:
    """Return a model by its row, loaded from a folder; each once."""
    made: dict[str, Trial] = {}

    def trial_of(row: str) -> Trial:
        if row not in made:
            made[row] = Trial(tiny_model(row), tmp_path_factory.mktemp("model") / "tiny")
        return made[row]

    return trial_of


@pytest.mark.parametrize("row", TINY_MODELS)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
def test_a_pipeline_does_what_the_page_says(trial: Callable[[str], Trial], row: str) -> None:
    assert generator_of_page().row_of(row, trial(row).find()) in PAGE.splitlines()


def test_the_page_of_models_is_up_to_date() -> None:
    rows = [line for line in PAGE.splitlines() if line.count("|") == 12][2:]
    assert [row.split("|")[1].strip() for row in rows] == list(TINY_MODELS)
    assert generator_of_page().models_page(rows) == PAGE


def test_every_pipeline_that_is_drawn_with_has_a_tiny_model_or_a_reason() -> None:
    tried = {row.split(",")[0] for row in TINY_MODELS}
    drawn = {name for name in {*GENERIC, *BY_CLASS} if not any(word in name for word in SAME_MODELS)}
    assert drawn - tried - set(WITHOUT_MODEL) - set(NEEDS) == set()


def own_latents(folder: Path, arguments: dict[str, Any], scheduler: Any = None) -> torch.Tensor:
    """Return what diffusers' own pipeline draws, loaded by diffusers."""
    pipeline = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    for part in pipeline.components.values():
        for weight in part.parameters() if isinstance(part, nn.Module) else ():
            weight.data = weight.data.clone()  # Out of the mapped file, where its address alone changes the last bits.
    if scheduler is not None:
        pipeline.scheduler = scheduler(pipeline.scheduler)
    generator = [torch.Generator().manual_seed(7)]
    latents: torch.Tensor = pipeline(**arguments, generator=generator).images
    return latents


@pytest.mark.parametrize("row", ["StableDiffusionPipeline", SDXL, "FluxPipeline", "StableDiffusion3Pipeline"])
def test_latents_are_those_of_diffusers_own_pipeline_to_the_bit(trial: Callable[[str], Trial], row: str) -> None:
    """Given the same embeddings, on a CPU in float32."""
    found = trial(row)
    model = found.model
    asked = Asked.by(found.resolved.passes[0], 1)
    euler = EulerDiscreteScheduler.from_config if "Diffusion" in row and "3" not in row else None
    make = None if euler is None else lambda own: euler(own.config)
    with torch.inference_mode():
        arguments = model.family.arguments(model.pipeline, found.words, asked)
        assert torch.equal(found.draw(), own_latents(model.key.path, arguments, make))


EDM = {
    "Playground 2.5": EDMDPMSolverMultistepScheduler(sigma_min=0.002, sigma_max=80.0, sigma_data=0.5),
    "CosXL": EDMEulerScheduler(
        sigma_max=120.0, sigma_data=1.0, sigma_schedule="exponential", prediction_type="v_prediction"
    ),
    "CosXL by Euler": EulerDiscreteScheduler(
        timestep_type="continuous", sigma_min=0.002, sigma_max=120.0, use_exponential_sigmas=True,
        prediction_type="v_prediction",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDM)
def test_a_folder_with_noise_levels_of_its_own_draws_with_them_as_diffusers_does(tmp_path: Path, name: str) -> None:
    """Whatever sampler is asked for; and previews show what its own scheduler makes of the denoiser's words."""
    pipeline = tiny_model(SDXL)
    pipeline.scheduler = EDM[name]
    pipeline.vae.register_to_config(latents_mean=[-1.6, 1.9, -1.4, 2.5], latents_std=[8.5, 5.9, 6.5, 5.2])
    found = Trial(pipeline, tmp_path)
    model = found.model
    with torch.inference_mode():
        arguments = model.family.arguments(model.pipeline, found.words, Asked.by(found.resolved.passes[0], 1))
        whole = found.draw()
        assert torch.equal(whole, own_latents(tmp_path, arguments))
    # The last step ends at no noise: what it is believed to become is what it is.
    torch.testing.assert_close(found.shown[-1], whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("row", [SDXL, "FluxPipeline", "ZImagePipeline", "QwenImagePipeline", "SanaPipeline"])
def test_a_model_in_half_precision_draws_in_float32_and_decodes(tmp_path: Path, row: str) -> None:
    found = Trial(tiny_model(row), tmp_path, "bfloat16")
    model = found.model
    assert model.denoiser.dtype == vae_of(model.pipeline).dtype == torch.bfloat16
    with torch.inference_mode():
        latents = found.draw()
        assert latents.dtype == torch.float32
        assert decode(model, latents, SIZE).size == SIZE


def test_auto_is_float32_for_the_pipelines_that_draw_in_nothing_else() -> None:
    said = {line.split("|")[1].strip() for line in PAGE.splitlines() if "in float32 only" in line}
    names = {row.split(",")[0] for row in TINY_MODELS}
    families = [BY_CLASS.get(name) or Generic(getattr(diffusers, name)) for name in names]
    assert {family.pipeline.__name__ for family in families if family.float32_only} == said


def test_a_denoiser_is_described_before_it_is_loaded(tmp_path: Path) -> None:
    pipeline = tiny_model("HunyuanDiTPipeline")
    pipeline.save_pretrained(tmp_path / "Stable-diffusion" / "hunyuan")
    checkpoint = CheckpointCatalogue([tmp_path], tmp_path / "hashes.json").find("hunyuan")
    wanted = sum(weight.numel() for weight in pipeline.transformer.state_dict().values())
    assert describe_denoiser(checkpoint) == Denoiser(wanted, "transformer", float32_only=True)


# --- Words ----------------------------------------------------------------------------------------------------------


def encoded(model: LoadedModel, prompt: str, negative_prompt: str = "", scale: float = 5.0) -> dict[str, Any]:
    with torch.inference_mode():
        return dict(PromptEncoder().encode(model, prompt, negative_prompt, Asked(guidance_scale=scale)))


@pytest.mark.parametrize("row", [SDXL, REFINER])
def test_words_of_sdxl_are_those_of_its_pipeline(trial: Callable[[str], Trial], row: str) -> None:
    model = trial(row).model
    words = encoded(model, "a cat", "a dog")
    with torch.inference_mode():
        own = model.pipeline.encode_prompt("a cat", negative_prompt="a dog", device="cpu")
    names = "prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"
    for name, embeddings in zip(names, own, strict=True):
        assert torch.equal(words[name], embeddings), name


def test_no_negative_prompt_is_zeros_where_sdxl_was_trained_so(trial: Callable[[str], Trial]) -> None:
    base, refiner = encoded(trial(SDXL).model, "a cat"), encoded(trial(REFINER).model, "a cat")
    assert not base["negative_prompt_embeds"].any() and not base["negative_pooled_prompt_embeds"].any()
    assert refiner["negative_prompt_embeds"].any() and refiner["negative_pooled_prompt_embeds"].any()


def test_long_words_of_sdxl_have_chunks_and_the_pooled_words_of_the_first(trial: Callable[[str], Trial]) -> None:
    model = trial(SDXL).model
    first = "".join(chr(97 + place % 26) for place in range(75))  # The tiny tokenizer has a token for each letter.
    long, short = encoded(model, first + "more", "a dog"), encoded(model, first, "a dog")
    assert long["prompt_embeds"].shape[1] == long["negative_prompt_embeds"].shape[1] == 2 * 77
    assert torch.equal(long["prompt_embeds"][:, :77], short["prompt_embeds"])
    assert torch.allclose(long["pooled_prompt_embeds"], short["pooled_prompt_embeds"], atol=1e-5)
    assert encoded(model, first, scale=1.0)["negative_prompt_embeds"] is None


def test_a_refiner_is_told_scores_after_size_and_corner(trial: Callable[[str], Trial]) -> None:
    found = trial(REFINER)
    told: list[torch.Tensor] = []

    def hear(_module: nn.Module, _inputs: Any, named: dict[str, Any]) -> None:
        told.append(named["added_cond_kwargs"]["time_ids"])

    hook = found.model.denoiser.register_forward_pre_hook(hear, with_kwargs=True)
    with torch.inference_mode():
        found.draw()
    hook.remove()
    negative, positive = told[0].tolist()
    assert negative == [64, 64, 0, 0, 2.5] and positive == [64, 64, 0, 0, 6.0]


def test_each_picture_of_a_refiners_batch_is_told_its_scores(trial: Callable[[str], Trial]) -> None:
    """Of several pictures diffusers hands on the scores of both prompts by turns, and the words not."""
    found = trial(REFINER)
    several = [Batch(found.model, found.words, found.resolved, indices) for indices in ([0, 1], [1])]
    with torch.inference_mode():
        together, alone = (batch.sample(lambda _done, _steps, _step: None) for batch in several)
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("row", ["FluxPipeline", "ZImagePipeline", "SanaPipeline"])
def test_words_are_encoded_once_for_all_jobs_and_anew_when_they_change(trial: Callable[[str], Trial], row: str) -> None:
    model = trial(row).model
    calls: list[str] = []
    encoders = [part for name, part in model.pipeline.components.items() if name.startswith("text_encoder")]
    hooks = [part.register_forward_pre_hook(lambda _module, _inputs: calls.append("called")) for part in encoders]
    encoded(model, "a fox", "a hen")
    first = len(calls)
    encoded(model, "a fox", "a hen")
    assert len(calls) == first >= 1
    encoded(model, "a fox", "a hare")
    assert len(calls) > first
    for hook in hooks:
        hook.remove()


def test_kleins_negative_prompt_counts(trial: Callable[[str], Trial]) -> None:
    """Its pipeline takes none in words."""
    model = trial("Flux2KleinPipeline").model
    one, other = encoded(model, "a cat", "a dog"), encoded(model, "a cat", "a hen")
    assert not torch.equal(one["negative_prompt_embeds"], other["negative_prompt_embeds"])
    assert "negative_prompt_embeds" not in encoded(model, "a cat", "a dog", scale=1.0)


# --- Layouts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["FluxPipeline", "Flux2KleinPipeline", "QwenImagePipeline", "ErnieImagePipeline"])
def test_packed_latents_are_found_in_the_picture_and_back(trial: Callable[[str], Trial], row: str) -> None:
    found = trial(row)
    model = found.model
    with torch.inference_mode():
        latents = found.draw()
        layout = model.family.layout(model.pipeline, SIZE)
        spatial = layout.spatial(latents)
        assert spatial.shape == (1, 4, 8, 8)
        assert torch.equal(layout.running(spatial), latents)
        # The model's own end gives its decoder the same.
        given: list[torch.Tensor] = []
        decoder = vae_of(model.pipeline)
        hook = decoder.decoder.register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0]))
        model.family.decode(model.pipeline, latents, SIZE, save_memory=False)
        decoder.decode(model.family.for_vae(model.pipeline, spatial))
        hook.remove()
    assert len(given) == 2 and torch.allclose(given[0], given[1], atol=1e-5)


def test_a_mask_of_one_channel_is_the_same_for_all(trial: Callable[[str], Trial]) -> None:
    model = trial("FluxPipeline").model
    layout = model.family.layout(model.pipeline, SIZE)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    assert torch.equal(layout.spatial(layout.running(mask)), mask.expand(1, 4, 8, 8))
