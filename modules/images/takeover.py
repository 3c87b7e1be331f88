"""What of a picture's infotext can be put into the fields here, and what cannot, with the reason in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modules.errors import InvalidRequest
from modules.images import noise_pairs, taken_parts, taken_pictures, taken_reading, taken_script
from modules.images.infotext import fields_of, looks_like_infotext, parse_pairs
from modules.images.models_by_name import find_model
from modules.images.skipped_keys import NONE_SKIPPED, SkippedKeys, without_fields
from modules.images.taken_networks import take_networks
from modules.images.taken_pictures import PICTURES, TXT2IMG, keys_told, take_pictures
from modules.images.taken_script import is_of_script, take_script
from modules.images.taken_spelling import changed_spelling
from modules.images.taken_words import templates_in
from modules.jobs.kinds.registry import validate_request
from modules.jobs.kinds.spelling import in_file
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.networks import NetworkCatalogue
from modules.jobs.models.upscalers import UpscalerCatalogue
from modules.jobs.models.vae_file import VaeFile
from modules.prompts.extra_networks import without_networks

# The fields of a request that describe one picture, in the order in which the page tells them, and their names there.
LABELS = {
    "prompt": "Prompt", "negative_prompt": "Negative prompt", "steps": "Steps", "sampler_name": "Sampling method",
    "scheduler": "Schedule type", "cfg_scale": "CFG scale",
    "distilled_cfg_scale": "Distilled CFG scale", "shift": "Shift", "width": "Width", "height": "Height",
    "seed": "Seed",
}  # fmt: skip
_READ = frozenset({"Prompt", "Negative prompt", "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size",
                   "Distilled CFG Scale", "Shift", "Model", "Model hash", "VAE", "Clip skip", "Refiner",
                   "Refiner switch at", "Refiner switch by sampling steps"}) | taken_reading.KEYS  # fmt: skip
_MODULE = re.compile(r"Module [0-9]+")
# Of those that are numbers, what the page calls them and the infotext.
_NUMBERS = {
    "Steps": "Steps", "CFG scale": "CFG scale", "Distilled CFG scale": "Distilled CFG Scale", "Shift": "Shift",
    "Seed": "Seed", "Size": "Size",
}  # fmt: skip
# Says nothing of how a picture is to be drawn, or is told in another way.
_TELLING = frozenset(
    {
        "Version",
        "User",
        "Template",
        "Negative Template",
        "Partial",
        "Batch size",
        "Batch pos",
        "Lora hashes",
        "TI hashes",
        "VAE hash",
        "Init image hash",
    }
)
_NEUTRAL = {
    "RNG": ("CPU",),
    "Token merging ratio": ("0", "0.0"), "Token merging ratio hr": ("0", "0.0"),
    "VAE Encoder": ("Full",), "VAE Decoder": ("Full",),
    "FP8 weight": ("Disable",),
    "Schedule min sigma": ("0", "0.0"), "Schedule max sigma": ("0", "0.0"), "Schedule rho": ("0", "0.0"),
}  # fmt: skip
# Keys that belong to one feature, by how they begin; the first that fits counts.
_FEATURES = {
    "Hires": "Hires fix", "First pass": "Hires fix", "ControlNet": "ControlNet",
    "ADetailer": "ADetailer",
    "Token merging": "Token merging", "Hypertile": "Hypertile", "Soft inpainting": "Inpainting", "Mask": "Inpainting",
    "Inpaint": "Inpainting", "Schedule": "Sigma settings", "UniPC": "UniPC settings",
    "Face restoration": "Face restoration",
    "X ": "X/Y/Z plot", "Y ": "X/Y/Z plot", "Z ": "X/Y/Z plot", "Fixed": "X/Y/Z plot", "Script": "Script",
}  # fmt: skip
_PLAIN = (
    "RNG", "Image CFG scale", "Hypernet", "FP8 weight", "NGMS", "Noise multiplier",
    "Extra noise", "Conditional mask weight",
)  # fmt: skip
_NOT_HERE = "not available in this version"
_LONGEST_VALUE = 60


class Left(NamedTuple):
    """Something that was not taken over: what, with which value, and why."""

    label: str
    value: str
    why: str


@dataclass
class Takeover:
    """`values` by the names of a request's fields; `checkpoint` the name of the model, None where it stays as it is.

    `templates` are what its prompts were made of, by the names of their fields; `kept` the names of fields, and of
    settings, that are to stay as they are.
    """

    values: dict[str, Any] = field(default_factory=dict)
    checkpoint: str | None = None
    left: list[Left] = field(default_factory=list)
    templates: dict[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()

    @property
    def taken(self) -> list[str]:
        """What was taken over, as the page names it."""
        named = LABELS | noise_pairs.LABELS | taken_parts.LABELS | taken_pictures.LABELS | taken_script.LABELS
        given = (name for name in named if self.values.get(name, False) is not False)
        names = [named[name] for name in given if named[name] and self.values[name] != noise_pairs.UNSAID.get(name)]
        if "Width" in names:
            names[names.index("Width")] = "Size"
        return [name for name in names if name != "Height"] + (["Checkpoint"] if self.checkpoint else [])


def take_over(
    text: str,
    checkpoints: Sequence[Checkpoint],
    own: Mapping[str, Any] | None = None,
    vaes: Sequence[VaeFile] = (),
    kind: str = TXT2IMG,
    upscalers: UpscalerCatalogue | None = None,
    networks: NetworkCatalogue | None = None,
    skipped: SkippedKeys = NONE_SKIPPED,
) -> Takeover:
    """Read an infotext, for a tab of this kind. The fields of keys that are `skipped` stay as they are.

    `own` are fields of the picture's own JSON: their prompts are loss-free and they name pictures, so they win. Its
    `spelling` is what the models read for words then: where that is not so any more, it is told.
    """
    pairs = parse_pairs(text)
    found = fields_of(pairs) if text.strip() else {}
    exact = ("prompt", "negative_prompt", *PICTURES) if looks_like_infotext(text) else (*LABELS, *PICTURES)
    overrides = {**found.get("override_settings", {}), **((own or {}).get("override_settings") or {})}
    found |= {name: value for name, value in (own or {}).items() if name in exact}
    kept, told = skipped.fields(pairs), skipped.without(pairs)
    wanted = without_fields(found | {"override_settings": overrides}, kept)
    takeover = take_request(wanted, checkpoints, told, vaes, kind, upscalers, networks)
    takeover.values = without_fields(takeover.values, kept)
    takeover.templates = without_fields(templates_in(pairs), kept)
    takeover.kept = kept
    of_words = changed_spelling(in_file(own or {}), checkpoints)
    takeover.left += [Left(label, _short(value), why) for label, value, why in of_words]
    return takeover


def take_request(
    found: Mapping[str, Any],
    checkpoints: Sequence[Checkpoint],
    pairs: Mapping[str, str] | None = None,
    vaes: Sequence[VaeFile] = (),
    kind: str = TXT2IMG,
    upscalers: UpscalerCatalogue | None = None,
    networks: NetworkCatalogue | None = None,
) -> Takeover:
    """Check the fields of a request one by one, for a tab of this kind. `pairs` is the infotext that they come from."""
    pairs = pairs or {}
    takeover = Takeover()
    for name, label in LABELS.items():
        if name in found and name not in ("sampler_name", "scheduler", "width", "height"):
            _take(takeover, label, found, (name,))
    _take(takeover, "Size", found, ("width", "height"))
    _take_sampler(takeover, found)
    for label, key in _NUMBERS.items():
        field_label = "Width" if label == "Size" else label
        if key in pairs and not any(name in found for name, own in LABELS.items() if own == field_label):
            takeover.left.append(Left(label, _short(pairs[key]), "cannot be read"))
    _take_model(takeover, found, pairs, checkpoints)
    parts, left = taken_parts.take_parts(found, pairs, checkpoints, vaes)
    takeover.values |= parts
    noise, of_noise = noise_pairs.take_noise(found, pairs)
    takeover.values |= noise
    pictures, of_pictures = take_pictures(found, pairs, checkpoints, kind, upscalers)
    takeover.values |= pictures
    script, of_script = take_script(pairs, kind)
    takeover.values |= script
    prompts, of_networks = take_networks(found, pairs, networks)
    takeover.values |= {name: text for name, text in prompts.items() if name in takeover.values}
    takeover.left += [
        Left(label, _short(value), why) for label, value, why in left + of_noise + of_pictures + of_script + of_networks
    ]
    takeover.left += _hypernetworks(str(found.get("prompt", "")))
    takeover.left += _features(pairs)
    return takeover


def _take(takeover: Takeover, label: str, found: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Take fields that belong together; if one of them is not possible here, none."""
    wanted = {name: found[name] for name in names if found.get(name) is not None}
    try:
        validate_request("txt2img", wanted)
    except InvalidRequest as error:
        value = " × ".join(str(one) for one in wanted.values())
        takeover.left.append(Left(label, "" if "prompt" in names[0] else _short(value), str(error)))
        return
    takeover.values |= wanted


def _take_sampler(takeover: Takeover, found: Mapping[str, Any]) -> None:
    """Where the schedule type is the obstacle, the sampler alone is taken."""
    sampler, schedule = found.get("sampler_name"), found.get("scheduler")
    if sampler is None:
        return
    try:
        validate_request("txt2img", {"sampler_name": sampler})
    except InvalidRequest:
        takeover.left.append(Left("Sampling method", _short(str(sampler)), "not known here"))
        return
    takeover.values["sampler_name"] = sampler
    takeover.values["scheduler"] = schedule or "Automatic"
    try:
        validate_request("txt2img", {"sampler_name": sampler, "scheduler": schedule})
    except InvalidRequest as error:
        takeover.values["scheduler"] = "Automatic"
        why = f"does not go with {sampler} here" if "does not go" in str(error) else "not known here"
        takeover.left.append(Left("Schedule type", _short(str(schedule)), f"{why}; Automatic is chosen"))


def _take_model(
    takeover: Takeover, found: Mapping[str, Any], pairs: Mapping[str, str], checkpoints: Sequence[Checkpoint]
) -> None:
    overrides = found.get("override_settings")
    name = pairs.get("Model") or (overrides or {}).get("sd_model_checkpoint") or ""
    digest = pairs.get("Model hash", "").casefold()
    if not name and not digest:
        return
    shown = _short(f"{name} [{digest}]" if name and digest else str(name or digest))
    model = find_model(str(name), digest, checkpoints)
    if model is None:
        takeover.left.append(Left("Checkpoint", shown, "is not here; the chosen one stays"))
    elif model.problem is not None:
        takeover.left.append(Left("Checkpoint", shown, f"cannot be used: {model.problem}"))
    else:
        takeover.checkpoint = model.name
        if digest and model.sha256 and not model.sha256.startswith(digest):
            why = f"the one of that name here has other weights [{model.short_hash}], and is chosen"
            takeover.left.append(Left("Checkpoint", shown, why))


def _hypernetworks(prompt: str) -> Iterable[Left]:
    for name in dict.fromkeys(tag.name for tag in without_networks(prompt)[1] if tag.kind == "hypernet"):
        yield Left("Hypernetwork", _short(name), f"{_NOT_HERE}; it is left out of the picture")


def _features(pairs: Mapping[str, str]) -> Iterable[Left]:
    """Everything else that the infotext says, each feature once."""
    told: dict[str, Left] = {}
    elsewhere = keys_told(pairs)
    for key, value in pairs.items():
        if _MODULE.fullmatch(key) or key in elsewhere or is_of_script(key, pairs):
            continue  # Told of with the fields.
        if key in _READ or key in noise_pairs.KEYS or key in _TELLING or value in _NEUTRAL.get(key, ()):
            continue
        if key in _PLAIN:
            told[key] = Left(key, _short(value), _NOT_HERE)
            continue
        feature = next((label for start, label in _FEATURES.items() if key.startswith(start)), None)
        if feature is not None:
            told.setdefault(feature, Left(feature, _short(value) if key == feature else "", _NOT_HERE))
        else:
            told[key] = Left(key, _short(value), "not known here")
    return told.values()


def not_available(pairs: Mapping[str, str]) -> Left | None:
    """Return the first of what an infotext asks for and no version of a request can, such as ControlNet."""
    return next((left for left in _features(pairs) if left.why == _NOT_HERE), None)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
