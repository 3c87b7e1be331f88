"""An infotext in a request, as A1111 reads it: it gives the fields that the client left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modules.errors import InvalidRequest
from modules.images.infotext import fields_of, parse_pairs
from modules.images.models_by_name import find_checkpoint, find_model, find_vae
from modules.images.skipped_keys import OVERRIDES, SkippedKeys, without_fields
from modules.images.taken_script import take_script
from modules.images.takeover import not_available
from modules.jobs.kinds.registry import KINDS
from modules.jobs.lenient import is_blank, show
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.vae_file import VaeFile

FIELD = "infotext"
_MODEL, _VAE = "sd_model_checkpoint", "sd_vae"
_SCRIPT_NAME, _SCRIPT_ARGUMENTS = "script_name", "script_args"
# What a client that sends one of them has chosen: a schedule type belongs to its sampler.
_SAMPLERS, _OF_SAMPLER = ("sampler_name", "sampler_index"), ("sampler_name", "scheduler")


def has_infotext(data: object) -> bool:
    """Whether a request has an infotext."""
    return isinstance(data, Mapping) and not is_blank(data.get(FIELD))


def with_infotext(
    kind: object,
    data: object,
    checkpoints: Sequence[Checkpoint] = (),
    vaes: Sequence[VaeFile] = (),
    skipped: str = "",
) -> object:
    """Return the request with the fields that its infotext gives and the client did not send, and without it.

    What is of a kind that draws nothing, or has no infotext, is returned as it is. Models are found by hash, else by
    name, as elsewhere; one that is not here keeps its name, by which the request is refused then. Keys with no fields
    here change nothing, as with A1111. `skipped` are keys whose fields are left out, as the setting
    `infotext_skip_pasting` has them.

    Raises:
        InvalidRequest: the infotext is no text, or asks for what is not available.
    """
    if not isinstance(kind, str) or kind not in KINDS or not KINDS[kind].draws:
        return data
    if not isinstance(data, Mapping) or is_blank(data.get(FIELD)):
        return data
    text = data[FIELD]
    if not isinstance(text, str):
        raise InvalidRequest(f"infotext {show(text)} is no text: send one as it stands in a picture.", FIELD)
    sent = {name: value for name, value in data.items() if name != FIELD}
    keys = SkippedKeys(skipped)
    pairs = parse_pairs(text)
    found = without_fields(fields_of(pairs), keys.fields(pairs))
    pairs = keys.without(pairs)
    if (left := not_available(pairs)) is not None:
        raise InvalidRequest(f"{left.label} of the infotext is {left.why}: take it out of the text.", FIELD)
    found = _as_here(found, pairs, checkpoints, vaes)
    if any(not is_blank(sent.get(name)) for name in _SAMPLERS):
        found = without_fields(found, _OF_SAMPLER)
    overrides = {**(found.pop(OVERRIDES, None) or {}), **_overrides_of(sent)}
    known = KINDS[kind].request.model_fields
    given = {name: value for name, value in found.items() if name in known} | _script_of(pairs, kind, sent)
    return {
        **sent,
        **{name: value for name, value in given.items() if sent.get(name) is None},
        **({OVERRIDES: overrides} if overrides else {}),
    }


def _overrides_of(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    overrides = sent.get(OVERRIDES)
    if overrides is not None and not isinstance(overrides, Mapping):
        raise InvalidRequest(f"{OVERRIDES} {show(overrides)} is not possible: send an object.", OVERRIDES)
    return {name: value for name, value in (overrides or {}).items() if value is not None}


def _as_here(
    found: Mapping[str, Any], pairs: Mapping[str, str], checkpoints: Sequence[Checkpoint], vaes: Sequence[VaeFile]
) -> dict[str, Any]:
    """Return the fields with models by the names that they have here."""
    fields = dict(found)
    overrides = dict(fields.get(OVERRIDES) or {})
    if name := overrides.get(_MODEL):
        model = find_model(str(name), pairs.get("Model hash", "").casefold(), checkpoints)
        overrides[_MODEL] = name if model is None else model.name
    if name := overrides.get(_VAE):
        overrides[_VAE] = find_vae(str(name), pairs.get("VAE hash", ""), vaes) or name
    for field in ("refiner_checkpoint", "hr_checkpoint_name"):
        if name := fields.get(field):
            fields[field] = find_checkpoint(str(name), checkpoints) or name
    return fields | ({OVERRIDES: overrides} if overrides else {})


def _script_of(pairs: Mapping[str, str], kind: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    if not is_blank(sent.get(_SCRIPT_NAME)):
        return {}
    script, left = take_script(pairs, kind)
    for label, value, why in left:
        raise InvalidRequest(f"{label} {show(value)} of the infotext is not possible: {why}", FIELD)
    return {_SCRIPT_NAME: script["script"], _SCRIPT_ARGUMENTS: script[_SCRIPT_ARGUMENTS]} if script else {}
