"""ComfyUI: a graph under `prompt` and one under `workflow`, read from the sampler that drew the picture backwards."""

from __future__ import annotations

from collections.abc import Mapping

from modules.images.foreign.comfy_graph import Graph, Node, graph_of
from modules.images.foreign.comfy_parts import models_of, size_of, text_of
from modules.images.foreign.reading import JSON_LONGEST, Reading, number, shown, whole
from modules.images.foreign.sampler_names import sampler_pairs

PROGRAM = "ComfyUI"
_KEYS = ("prompt", "workflow")
# The inputs by which a sampler gets its latents, whatever stands between two samplers.
_LATENTS = ("latent_image", "latent", "samples", "optional_latent", "pixels", "image", "images", "upscale_model")
_PARTS = ("guider", "sigmas", "sampler", "noise", "sampler_name", "scheduler")
# Nodes that are a schedule type of their own.
_SCHEDULES = {
    "KarrasScheduler": "karras", "ExponentialScheduler": "exponential", "SDTurboScheduler": "turbo",
    "AlignYourStepsScheduler": "align_your_steps", "BetaSamplingScheduler": "beta",
    "PolyexponentialScheduler": "polyexponential",
}  # fmt: skip
_LATENT_MODES = {
    "nearest-exact": "Latent (nearest-exact)",
    "nearest": "Latent (nearest)",
    "bicubic": "Latent (bicubic)",
}
_PROMPTS = ("positive", "conditioning")
_MOST_ENDS, _MOST_SAMPLERS = 50, 50
_UPSCALES = ("LatentUpscale", "LatentUpscaleBy", "ImageScale", "ImageScaleBy", "ImageUpscaleWithModel")
_OTHER_WAYS = {"ControlNetApply": "ControlNet", "ControlNetApplyAdvanced": "ControlNet", "IPAdapter": "IP adapter",
               "IPAdapterAdvanced": "IP adapter", "FaceDetailer": "Face detailer"}  # fmt: skip


def read(items: Mapping[str, str]) -> Reading | None:
    """Read the graph of the picture; with a note of what there is no place for."""
    if not any(items.get(key, "").lstrip().startswith("{") for key in _KEYS):
        return None
    reading = Reading(PROGRAM)
    for key in _KEYS:
        if len(items.get(key, "")) > JSON_LONGEST:
            reading.leave(key, f"{len(items[key]):,} characters", f"is longer than the {JSON_LONGEST:,} that are read")
    graph = graph_of(items.get("prompt"), items.get("workflow"))
    samplers = [] if graph is None else _samplers(graph)
    if graph is None or not samplers:
        if graph is not None or reading.left:
            reading.leave("Graph", f"{0 if graph is None else len(graph.nodes)} nodes", "has no sampler that is known")
            return reading
        return None
    first, last = samplers[-1], samplers[0]
    _put_texts(reading, graph, first)
    _put_sampling(reading, graph, first)
    _put_start(reading, graph, first)
    if last is not first:
        _put_second(reading, graph, first, last, len(samplers))
    models_of(reading, graph, first)
    for kind, label in _OTHER_WAYS.items():
        if any(node.kind == kind for node in graph.nodes.values()):
            reading.leave(label, kind)
    return reading


def _is_sampler(node: Node) -> bool:
    """By what goes in: latents, and words or what has them."""
    inputs = node.inputs
    return "latent_image" in inputs and bool({"positive", "guider", "seed", "noise_seed"} & set(inputs))


def _samplers(graph: Graph) -> list[Node]:
    """Return the samplers that the picture went through, the last one first."""
    nodes = list(graph.nodes.values())
    pictures = [node for node in nodes if node.linked("images", "image")]
    ends = [node for node in pictures if "Save" in node.kind] or [node for node in pictures if "Preview" in node.kind]
    lasts = (node for end in ends[:_MOST_ENDS] for node in graph.upstream(end.id) if _is_sampler(node))
    last = next(lasts, None) or next((node for node in reversed(nodes) if _is_sampler(node)), None)
    found = [] if last is None else [last]
    while found and len(found) < _MOST_SAMPLERS:
        earlier = _sampler_before(graph, found[-1])
        if earlier is None or earlier in found:
            break
        found.append(earlier)
    return found


def _sampler_before(graph: Graph, sampler: Node) -> Node | None:
    nodes = graph.upstream(sampler.linked("latent_image"), _LATENTS)
    return next((node for node in nodes if _is_sampler(node)), None)


def _of(graph: Graph, sampler: Node, *names: str) -> object:
    """Return a value of a sampler, or of what is plugged into it."""
    for node in graph.upstream(sampler.id, _PARTS):
        found = graph.value(node, *(name for name in names if name in node.inputs))
        if found is not None:
            return found
    return None


def _put_texts(reading: Reading, graph: Graph, sampler: Node) -> None:
    holder = next((node for node in graph.upstream(sampler.id, _PARTS) if node.linked(*_PROMPTS)), None)
    if holder is None:
        return
    reading.pairs["Prompt"] = text_of(graph, holder.linked(*_PROMPTS), "positive")
    reading.pairs["Negative prompt"] = text_of(graph, holder.linked("negative"), "negative")
    nodes = graph.upstream(holder.linked(*_PROMPTS))
    guidance = next((graph.value(node, "guidance") for node in nodes if "guidance" in node.inputs), None)
    reading.put("Distilled CFG Scale", guidance)


def _put_sampling(reading: Reading, graph: Graph, sampler: Node) -> None:
    reading.put("Steps", _of(graph, sampler, "steps"))
    schedule = _of(graph, sampler, "scheduler")
    if not isinstance(schedule, str):
        kinds = (node.kind for node in graph.upstream(sampler.id, _PARTS))
        schedule = next((_SCHEDULES[kind] for kind in kinds if kind in _SCHEDULES), None)
    reading.pairs |= sampler_pairs(_of(graph, sampler, "sampler_name"), schedule)
    guided = any(node.kind == "BasicGuider" for node in graph.upstream(sampler.id, _PARTS))
    reading.put("CFG scale", 1 if guided else _of(graph, sampler, "cfg"))
    reading.put("Seed", _of(graph, sampler, "seed", "noise_seed"))


def _put_start(reading: Reading, graph: Graph, sampler: Node) -> None:
    """The size of the latents; or those of a picture, which is ComfyUI's."""
    width, height = size_of(graph, sampler.linked("latent_image"), _LATENTS)
    reading.put_size(width, height)
    picture = next((node for node in graph.upstream(sampler.linked("latent_image"), _LATENTS)
                    if node.kind.startswith("LoadImage")), None)  # fmt: skip
    denoise = number(_of(graph, sampler, "denoise"), 1.0)
    if picture is not None:
        reading.put("Denoising strength", denoise)
        reading.leave("Picture", graph.value(picture, "image") or "a picture", "is ComfyUI's: choose it here")


def _put_second(reading: Reading, graph: Graph, first: Node, last: Node, count: int) -> None:
    """A second sampler goes on with another model, as a refiner, or draws the picture larger, as hires fix does."""
    if count > 2:
        reading.leave("Samplers", count, "of these the first and the last one are read")
    begin, steps = whole(_of(graph, last, "start_at_step")), whole(_of(graph, last, "steps"))
    if begin and steps and 0 < begin < steps:
        other = Reading(PROGRAM)
        models_of(other, graph, last)
        if other.pairs.get("Model"):
            reading.put("Refiner", other.pairs["Model"])
            reading.put("Refiner switch at", round(begin / steps, 4))
        return
    between = list(graph.upstream(last.linked("latent_image"), _LATENTS))
    enlarging = next((node for node in between if node.kind in _UPSCALES), None)
    reading.put("Denoising strength", number(_of(graph, last, "denoise"), 1.0))
    reading.put("Hires steps", steps)
    _put_enlarging(reading, graph, enlarging)


def _put_enlarging(reading: Reading, graph: Graph, node: Node | None) -> None:
    if node is None:
        reading.put("Hires upscale", 1)
        reading.put("Hires upscaler", "Latent")
        return
    width, height = graph.value(node, "width"), graph.value(node, "height")
    if whole(width) and whole(height):
        reading.pairs["Hires resize"] = f"{whole(width)}x{whole(height)}"
    else:
        reading.put("Hires upscale", graph.value(node, "scale_by"))
    # ImageScale may stand behind the model that enlarges.
    model = next((one for one in graph.upstream(node.id) if one.kind == "UpscaleModelLoader"), None)
    reading.put("Hires upscaler", shown(graph.value(model, "model_name")) or _latent_mode(graph, node))
    if "Hires resize" not in reading.pairs and "Hires upscale" not in reading.pairs:
        reading.leave("Upscale model", reading.pairs.get("Hires upscaler"), "enlarges by its own factor")
        reading.put("Hires upscale", 2)


def _latent_mode(graph: Graph, node: Node) -> str:
    method = shown(graph.value(node, "upscale_method"))
    if not node.kind.startswith("Latent"):
        return "Lanczos"
    return _LATENT_MODES.get(method, "Latent")
