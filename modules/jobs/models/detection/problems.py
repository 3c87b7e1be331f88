"""Say why a file is not drawn with, and what to do. All texts go on after the file's name."""

from __future__ import annotations

from modules.jobs.models.detection.found import Core, Found, Role
from modules.jobs.models.detection.number_formats import NumberFormat
from modules.jobs.models.families import label_of
from modules.jobs.models.family_facts import FamilyFacts

# What people call a file of this role, and the folder that it belongs into.
_PLACES: dict[Role, tuple[str, str]] = {
    "lora": ("a LoRA", "models/Lora"),
    "embedding": ("a textual inversion", "models/embeddings"),
    "vae": ("a VAE", "models/VAE"),
    "tiny_vae": ("a small decoder for previews", "models/VAE-approx"),
    "text_encoder": ("a text encoder", "models/text_encoder"),
    "image_encoder": ("an encoder of pictures", "models/clip_vision"),
    "controlnet": ("a ControlNet", "models/ControlNet"),
    "adapter": ("an adapter", "models/ControlNet"),
    "upscaler": ("an upscaler", "models/ESRGAN"),
    "face_restorer": ("a restorer of faces", "models/GFPGAN"),
}


def say_misplaced(found: Found) -> str | None:
    """Return where a file belongs that lies among the checkpoints and is none; None where it is one, or not known."""
    if found.role not in _PLACES:
        return None
    what, place = _PLACES[found.role]
    what = found.label or what
    family = f" for {label_of(found.family)}" if found.family and found.role in ("lora", "embedding") else ""
    return f"is {what}{family}, no checkpoint: put it into {place}"


def find_problem(
    core: Core, facts: FamilyFacts | None, numbers: NumberFormat, container: str, label: str
) -> str | None:
    """Return why a denoiser is not drawn with; None where it is. `facts` are those of its variant."""
    if core.video:
        return f"is {_a(label)} model, which makes films: this program draws pictures, so use a model for those"
    if core.family == "":
        return f"is {core.label}, which is of no family that is known: if diffusers draws with it, put its folder here"
    if core.later is not None:
        return f"is {_a(label)} that {core.later}: if diffusers draws with it, put its folder in diffusers layout here"
    if facts is None or not facts.single_file:
        folder = "if diffusers draws with it, put its folder in diffusers layout here"
        return f"is {_a(label)} model, which this version does not draw with from a single file: {folder}"
    if facts.later is not None:
        return f"is {_a(label)} model, which needs {facts.later}: draw with another model until then"
    if not numbers.readable:
        return _say_unread(numbers, container)
    return None


def find_problem_of_companion(what: str, numbers: NumberFormat, container: str) -> str | None:
    """Return why a text encoder or a VAE is not drawn with; None where it is."""
    if container == "gguf":
        return f"is a GGUF of {what}, which this version does not read: use a safetensors of it"
    return None if numbers.readable else _say_unread(numbers, container)


def _say_unread(numbers: NumberFormat, container: str) -> str:
    usual = "Q8_0 or Q4_K" if container == "gguf" else "fp16, bf16 or fp8"
    return f"has its numbers as {numbers.name}, which this version does not read: use the same model in {usual}"


def _a(label: str) -> str:
    """Return a name with its article."""
    return f"{'an' if label[:1] in 'AEIO' else 'a'} {label}"
