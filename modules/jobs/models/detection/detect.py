"""Tell what a file of weights is, from its header: milliseconds, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from modules.jobs.models.detection.adapters import family_of_lora, find_embedding, is_lora
from modules.jobs.models.detection.companions import parts_inside, parts_needed
from modules.jobs.models.detection.control_files import find_control_file
from modules.jobs.models.detection.encoders import find_encoder, is_image_encoder
from modules.jobs.models.detection.found import Core, Found
from modules.jobs.models.detection.hints import read_base_model, read_owners_word, told_variant, words_of
from modules.jobs.models.detection.number_formats import NumberFormat, number_format
from modules.jobs.models.detection.prediction import unet_prediction
from modules.jobs.models.detection.problems import find_problem, find_problem_of_companion
from modules.jobs.models.detection.split import Split, split
from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.detection.transformer_signs import find_transformer
from modules.jobs.models.detection.unets import find_unet
from modules.jobs.models.detection.upscalers import OF_FACES, find_scale, find_upscaler
from modules.jobs.models.detection.vaes import FoundVae, find_vae
from modules.jobs.models.families import facts_of, label_of
from modules.jobs.models.tensor_file import read_tensor_header
from modules.jobs.models.tensor_header import TensorHeader

_LONGEST_NAME_SHOWN = 80
_EDM = frozenset({"playground", "cosxl"})
_SIDE_OF_SD2_V = 768


def detect(path: Path) -> Found:
    """Return what a safetensors or GGUF file is, by its header and what lies beside it.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or of another format; `say` of `foreign_bytes.py` has the words.
    """
    return detect_by_header(read_tensor_header(path))


def detect_by_header(header: TensorHeader) -> Found:
    """Return the same of a file whose header has been read."""
    return identify(header, read_base_model(header.path), read_owners_word(header.path))


def identify(header: TensorHeader, base_model: str = "", owners_word: Mapping[str, str] | None = None) -> Found:
    """Return what a file with this header is. `base_model` is what Civitai says of it; its owner has the last word.

    What could be two things is what most ask for first: a LoRA has the names of the model that it changes.
    """
    tensors = Tensors(header.tensors)
    found = _find_addition(header, tensors)
    if found is not None:
        return found
    parts = split(header.tensors)
    core = find_unet(parts.core, parts.whole) or find_transformer(parts.core)
    if core is not None:
        return _denoiser(header, parts, core, base_model, owners_word or {})
    return _find_companion(header, tensors, parts) or _unknown(header)


def _find_addition(header: TensorHeader, tensors: Tensors) -> Found | None:
    """Return what is put beside a model, None where it is none of these."""
    control = find_control_file(tensors)
    if control is not None:
        role, family, label = control
        return Found(role, family, label=label, container=header.container, number_format=_numbers(header, tensors))
    if is_lora(tensors):
        family = family_of_lora(tensors, header.metadata)
        return Found("lora", family, container=header.container, number_format=_numbers(header, tensors))
    family_of_embedding = find_embedding(tensors)
    if family_of_embedding is not None:
        return Found("embedding", family_of_embedding, container=header.container)
    return None


def _find_companion(header: TensorHeader, tensors: Tensors, parts: Split) -> Found | None:
    """Return what a model is drawn with beside its denoiser, or a model of another kind."""
    numbers = number_format(header, tensors)
    common = Found("unknown", container=header.container, number_format=numbers.name)
    encoder = find_encoder(tensors, header.metadata.get("general.architecture", ""))
    if encoder is not None:
        kind, variant = encoder
        problem = find_problem_of_companion("a text encoder", numbers, header.container)
        return replace(common, role="text_encoder", kind=kind, variant=variant, problem=problem)
    if is_image_encoder(tensors):
        return replace(common, role="image_encoder")
    words = words_of(header.path.stem)
    vae = find_vae(tensors, words) or find_vae(parts.vae, words)
    if vae is not None:
        return _vae(common, vae, numbers)
    upscaler = find_upscaler(tensors)
    if upscaler is not None:
        if upscaler in OF_FACES:
            return replace(common, role="face_restorer", kind=upscaler, label=f"for faces ({upscaler})")
        label = upscaler if " " in upscaler else f"an upscaler ({upscaler})"
        return replace(common, role="upscaler", label=label, scale=find_scale(tensors, upscaler))
    return None


def _vae(common: Found, vae: FoundVae, numbers: NumberFormat) -> Found:
    common = replace(common, kind=vae.kind, latent_channels=vae.channels)
    if vae.video:
        label = f"a VAE of {vae.kind}"
        return replace(common, role="video", label=label, problem=f"is {label}: this program draws pictures")
    problem = find_problem_of_companion("a VAE", numbers, common.container)
    return replace(common, role="tiny_vae" if vae.tiny else "vae", problem=problem)


def _denoiser(header: TensorHeader, parts: Split, core: Core, base_model: str, owners_word: Mapping[str, str]) -> Found:
    variant = _variant(header, core, base_model, owners_word)
    facts = facts_of(core.family, variant)
    label = core.label or label_of(core.family, variant)
    numbers = number_format(header, parts.core, parts.prefix)
    prediction, zero = _prediction(header, parts, core, variant, owners_word)
    inside = parts_inside(parts, facts) if facts is not None else frozenset()
    side = facts.native_side if facts is not None else None
    if core.family == "sd2" and variant == "" and prediction == "v":
        side = _SIDE_OF_SD2_V
    return Found(
        role="video" if core.video else "checkpoint" if len(inside) > 1 else "denoiser",
        family=core.family,
        variant=variant,
        label=label,
        prediction=prediction,
        zero_terminal_snr=zero,
        number_format=numbers.name,
        container=header.container,
        layout=core.layout,
        prefix=parts.prefix,
        parts=inside,
        needs=parts_needed(inside, facts) if facts is not None else {},
        native_side=side,
        problem=find_problem(core, facts, numbers, header.container, label),
    )


def _variant(header: TensorHeader, core: Core, base_model: str, owners_word: Mapping[str, str]) -> str:
    """Return the variant: of what the weights leave open its owner, Civitai and the names say more, in this order."""
    facts = facts_of(core.family)
    said = owners_word.get("variant")
    if facts is not None and said is not None and said in ("", *(one.name for one in facts.variants)):
        return said
    for text in (base_model, header.path.stem, header.metadata.get("modelspec.title", "")):
        told = told_variant(core.family, core.variant, words_of(text))
        if told is not None:
            return told
    return core.variant


def _prediction(
    header: TensorHeader, parts: Split, core: Core, variant: str, owners_word: Mapping[str, str]
) -> tuple[str, bool]:
    """Return what it predicts, and whether its noise ends in nothing but noise."""
    facts = facts_of(core.family)
    if facts is None or facts.denoiser != "unet":
        return (facts.prediction if facts is not None else ""), False
    if variant in _EDM or "edm_vpred.sigma_max" in header.tensors:
        return "edm", False
    prediction, zero = unet_prediction(
        header, core.family, variant, parts.core, parts.prefix, header.path.stem
    )  # fmt: skip
    said = owners_word.get("prediction")
    return (said, zero and said == "v") if said in ("epsilon", "v") else (prediction, zero)


def _numbers(header: TensorHeader, tensors: Tensors) -> str:
    return number_format(header, tensors).name


def _unknown(header: TensorHeader) -> Found:
    if not header.tensors:
        return Found("unknown", container=header.container, problem="holds no weights: fetch it again")
    first = min(header.tensors)[:_LONGEST_NAME_SHOWN]
    count = len(header.tensors)
    seen = f"one tensor, {first!r}" if count == 1 else f"{count:,} tensors, the first of them {first!r}"
    remedy = "if diffusers draws with it, put its folder in diffusers layout here"
    return Found(
        "unknown",
        container=header.container,
        number_format=_numbers(header, Tensors(header.tensors)),
        problem=f"is of no kind that is known here (it has {seen}): {remedy}",
    )
