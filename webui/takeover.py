"""From an infotext, a picture's text or an earlier job to the fields: what the page's listener answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.errors import InvalidRequest, UnknownJob
from modules.images import noise_pairs
from modules.images.infotext import looks_like_infotext
from modules.images.skipped_keys import SkippedKeys, without_fields
from modules.images.taken_parts import LABELS, UNSAID
from modules.images.taken_pictures import PICTURES, leave_out
from modules.images.taken_words import STYLES_LABEL, with_styles_taken
from modules.images.takeover import Left, Takeover, take_over, take_request
from modules.jobs.kinds.base import PictureWords, ResolvedJob
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.grid.script import ARGUMENTS
from modules.jobs.kinds.registry import KINDS, read_resolved
from modules.jobs.kinds.spelling import SPELLING, of_environment
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor, Image, Job
from modules.jobs.serialization import prompts_of, resolved_answer
from modules.jobs.store.job_store import JobStore
from modules.shared import opts
from webui.tabs.drawing.rows.script import FIELD as SCRIPT

LONGEST = 200_000
_LONGEST_PART, _MOST_LEFT = 300, 50
# What a request means that says nothing of them; of infotexts see UNSAID.
_AS_SET: Mapping[str, Any] = {
    "sd_vae": "", "CLIP_stop_at_last_layers": "", "refiner_checkpoint": "None", MODULES: (), "emphasis": "",
    "use_old_scheduling": "", "shift": "", SCRIPT: "",
}  # fmt: skip
# Beside what describes one picture, an edited job brings how many of them.
_OF_A_JOB = ("n_iter", "batch_size", "combinatorial", SCRIPT, ARGUMENTS)
# What goes along when a picture is sent to another tab, as with A1111.
_SENT_ALONG = ("prompt", "negative_prompt", "steps", "seed")


@dataclass(frozen=True)
class Source:
    """What the page asks to be taken over, as its scripts sent it (`webui/assets/fields/takeover.js`)."""

    kind: str
    data: Mapping[str, Any]


def answer(
    source: object,
    who: Actor,
    store: JobStore,
    catalogue: CheckpointCatalogue,
    shown: Callable[[Mapping[str, Any]], dict[str, Any]] = dict,
    tab: str = "txt2img",
    fields: Collection[str] | None = None,
) -> str:
    """Return JSON for the page: `values` of the fields, `checkpoint`, what was `taken` and `left`; or a `problem`.

    `shown` makes the fields' values of those that a request has. `tab` is the kind of the jobs of the tab that asks,
    `fields` are the names of what it has; None: all that there is.
    """
    try:
        kind, takeover, more = _read(_parsed(source), who, store, catalogue, tab)
    except UnknownJob:
        return json.dumps({"problem": "This job is not there any more: it was deleted."})
    except InvalidRequest as error:
        return json.dumps({"problem": str(error)})
    unsaid = {} if kind == "send" else {**(_AS_SET if kind == "edit" else UNSAID), **noise_pairs.UNSAID}
    values, left = {**unsaid, **takeover.values}, list(takeover.left)
    if "styles" not in values:
        values, templates = _in_their_words(values, takeover.templates, catalogue)
        more |= {"templates": templates} if templates else {}
    values = without_fields(values, takeover.kept)
    if values.get(MODULES):
        values[MODULES], gone = _beside(values[MODULES], catalogue)
        left += [Left(LABELS[MODULES], name, "is not here; it is found by what it does") for name in gone]
    # A browser's numbers end at 2^53, and its number fields cannot be empty.
    values |= {name: f"{values[name]}" for name in ("seed", "subseed", "shift") if values.get(name) is not None}
    shows = shown(values)
    if fields is not None:
        left += [Left(*one) for one in leave_out(takeover.values, tab, frozenset(shows) - frozenset(fields))]
    taken = takeover.taken + [STYLES_LABEL] * bool(kind != "edit" and values.get("styles"))
    told = {"kind": kind, "values": shows, "checkpoint": takeover.checkpoint, "taken": taken}
    return json.dumps(told | {"left": [list(one) for one in left]} | more)


def _in_their_words(
    values: Mapping[str, Any], templates: Mapping[str, str], catalogue: CheckpointCatalogue
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields, and those of the templates, with the styles that stand in prompts as names."""
    styles, how = catalogue.library.styles.styles(), opts.values.infotext_styles
    taken = with_styles_taken(values, styles, how)
    if not templates:
        return taken, {}
    prompts = {name: values.get(name, "") for name in ("prompt", "negative_prompt")}
    return taken, with_styles_taken({**prompts, **templates}, styles, how)


def _beside(names: Sequence[str], catalogue: CheckpointCatalogue) -> tuple[list[str], list[str]]:
    """Return the names that the files have here, and those of which there is no file."""
    here: list[str] = []
    gone: list[str] = []
    for name in names:
        try:
            here.append(catalogue.find_companion(name).name)
        except InvalidRequest:
            gone.append(name)
    return here, gone


def _parsed(source: object) -> Source:
    try:
        data = json.loads(source) if isinstance(source, str) and len(source) <= 2 * LONGEST else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise InvalidRequest("This cannot be read: it is no infotext, or too long for one.")
    return Source(str(data.get("kind")), data)


def _read(
    source: Source, who: Actor, store: JobStore, catalogue: CheckpointCatalogue, tab: str
) -> tuple[str, Takeover, dict[str, Any]]:
    if source.kind == "text":
        text = str(source.data.get("text") or "")[:LONGEST]
        if not looks_like_infotext(text):
            raise InvalidRequest("This text holds no settings: an infotext has a line that begins with “Steps: ”.")
        return "text", _taken(text, None, catalogue, tab), {}
    if source.kind == "picture":
        return "picture", _of_picture(source.data, catalogue, tab), {}
    job = _job(source, who, store)
    if source.kind == "send":
        return "send", _sent_along(job, source.data.get("index"), store, catalogue, tab), {}
    if not _draws(job):
        return source.kind, _of_fields(job), {"waits": source.kind == "edit" and job.status == "queued"}
    if source.kind == "edit":
        takeover = _of_request(job, catalogue, tab)
        takeover.values |= {name: job.request[name] for name in _OF_A_JOB if name in job.request}
        return "edit", takeover, {"waits": job.status == "queued"}
    return source.kind, _of_job(job, source.data.get("index"), store, catalogue, tab), {}


def _of_picture(data: Mapping[str, Any], catalogue: CheckpointCatalogue, tab: str) -> Takeover:
    """Of what POST png-info told of a picture: `settings`, an infotext; `own`, fields of a request; what was `left`."""
    text, own = str(data.get("settings") or "")[:LONGEST], _object(data.get("own"))
    left = [Left(*(str(part)[:_LONGEST_PART] for part in one)) for one in _triples(data.get("left"))]
    if not looks_like_infotext(text) and "steps" not in own:
        if data.get("program"):
            said = f"This picture was made by {str(data['program'])[:40]}, and no settings are found in what it says."
            raise InvalidRequest(" ".join([said, *(f"{one.label} {one.value} {one.why}." for one in left[:3])]))
        raise InvalidRequest("This picture holds no settings: they were not saved with it, or taken out on the way.")
    takeover = _taken(text, own, catalogue, tab)
    takeover.left += left
    return takeover


def _triples(value: object) -> list[list[object]]:
    found = value if isinstance(value, list) else []
    return [one for one in found[:_MOST_LEFT] if isinstance(one, list) and len(one) == len(Left._fields)]


def _job(source: Source, who: Actor, store: JobStore) -> Job:
    if source.kind == "last":
        job = store.jobs.last_of(who.owner)
        if job is None:
            raise InvalidRequest("There is no last picture yet. Put an infotext into the prompt, or drop a picture.")
        return job
    identity = str(source.data.get("job") or "")
    job = store.jobs.get(identity)
    if job is None or (who.only_own and job.owner != who.owner):
        raise UnknownJob(identity)
    return job


def _draws(job: Job) -> bool:
    return job.kind not in KINDS or issubclass(KINDS[job.kind].resolved, ResolvedJob | ResolvedGrid)


def _of_fields(job: Job) -> Takeover:
    """Of a job that draws nothing: what it was asked for is what the fields of its tab show."""
    asked = {name: job.request.get(name) for name in KINDS[job.kind].request.model_fields}
    return Takeover({name: value for name, value in asked.items() if value is not None})


def _of_request(job: Job, catalogue: CheckpointCatalogue, tab: str) -> Takeover:
    """Of what a job was asked for, and what the engine has closed of it."""
    found = {**(resolved_answer(job) or {}), **job.request}
    takeover = take_request(found, **_here(catalogue, tab))
    takeover.values["styles"] = list(job.request.get("styles") or ())
    return takeover


def _sent_along(job: Job, index: object, store: JobStore, catalogue: CheckpointCatalogue, tab: str) -> Takeover:
    """Of a picture that goes to another tab; one that was only made larger has what it was once drawn with."""
    if _draws(job):
        found = _of_job(job, index, store, catalogue, tab)
    else:
        image = _image_of(job, index, store)
        if image is None or not looks_like_infotext(image.infotext):
            return Takeover()
        found = _taken(image.infotext, None, catalogue, tab)
    return Takeover({name: found.values[name] for name in _SENT_ALONG if name in found.values})


def _image_of(job: Job, index: object, store: JobStore) -> Image | None:
    """Return one of its pictures, the first one if none is named."""
    images = store.jobs.images(job.id)
    return next((one for one in images if one.index == index), images[0] if images else None)


def _of_job(job: Job, index: object, store: JobStore, catalogue: CheckpointCatalogue, tab: str) -> Takeover:
    """Of one of its pictures; without any, of what it was asked for."""
    image = _image_of(job, index, store)
    if image is None or not image.infotext:
        return _of_request(job, catalogue, tab)
    resolved, words, at = _drawn_as(job, image.index)
    exact = ("prompt", "negative_prompt", *PICTURES)
    own: dict[str, Any] = {name: resolved[name] for name in exact if name in resolved}
    if begun := own.get("init_images"):
        own["init_images"] = [begun[at % len(begun)]]
    if words is not None:
        own |= words.model_dump()
    own["override_settings"] = {"sd_model_checkpoint": resolved.get("checkpoint")}
    own[SPELLING] = of_environment(resolved.get("environment"))
    return _taken(image.infotext, own, catalogue, tab)


def _taken(text: str, own: Mapping[str, Any] | None, catalogue: CheckpointCatalogue, tab: str) -> Takeover:
    """Of an infotext, but for what the settings want left as it is."""
    skipped = SkippedKeys(opts.values.infotext_skip_pasting)
    return take_over(text, own=own, skipped=skipped, **_here(catalogue, tab))


def _drawn_as(job: Job, index: int) -> tuple[Mapping[str, Any], PictureWords | None, int]:
    """Return what a picture was drawn from, as its kind tells it, its own words, and its index there.

    A picture of a grid was drawn from what its cell is.
    """
    if job.kind in KINDS and issubclass(KINDS[job.kind].resolved, ResolvedGrid) and job.resolved is not None:
        grid = read_resolved(job.kind, job.resolved)
        assert isinstance(grid, ResolvedGrid)
        spot = grid.spot_of(index)
        drawn = grid.cells[spot.cell].drawn
        return KINDS[drawn.kind].told(drawn), drawn.words.of(spot.index), spot.index
    words = prompts_of(job)
    return resolved_answer(job) or {}, words[index] if words else None, index


def _here(catalogue: CheckpointCatalogue, tab: str) -> dict[str, Any]:
    """Return what is here, as a takeover asks for it, and the tab that it is for."""
    return {
        "checkpoints": catalogue.list(),
        "vaes": catalogue.vaes.list(),
        "kind": tab,
        "upscalers": catalogue.upscalers,
        "networks": catalogue.networks,
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
