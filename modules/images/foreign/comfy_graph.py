"""A graph of ComfyUI: nodes with their inputs, as `prompt` holds it, or made of `workflow`, which the page shows.

Whatever is asked of it ends: no node is looked at twice, so circles do no harm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from modules.images.foreign.reading import listed, load_object, mapping

# The fields that nodes have on the page, in order, where a workflow does not name them. "" is one of the page alone.
_SAMPLING = ("steps", "cfg", "sampler_name", "scheduler")
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", *_SAMPLING, "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "", *_SAMPLING, "start_at_step", "end_at_step"),
    "SamplerCustom": ("add_noise", "noise_seed", "", "cfg"),
    "RandomNoise": ("noise_seed", ""),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "UnetLoaderGGUF": ("unet_name",),
    "VAELoader": ("vae_name",),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeSDXL": ("width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l"),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "FluxGuidance": ("guidance",),
    "ModelSamplingSD3": ("shift",),
    "ModelSamplingAuraFlow": ("shift",),
    "LatentUpscale": ("upscale_method", "width", "height", "crop"),
    "LatentUpscaleBy": ("upscale_method", "scale_by"),
    "UpscaleModelLoader": ("model_name",),
    "LoadImage": ("image",),
    "PrimitiveNode": ("value",),
}
_TURNED_OFF = (2, 4)  # a node's `mode`: muted, or passed by
_MOST_NODES = 20_000
_DEEPEST = 200
# What nodes that hold one value call it.
_PLAIN = ("value", "int", "float", "number", "Number", "seed", "text", "string", "String", "result")


@dataclass(eq=False)
class Node:
    """A node: its class, and its inputs by name; one that comes from another node is a `Link`."""

    id: str
    kind: str
    inputs: dict[str, Any] = field(default_factory=dict)

    def linked(self, *names: str) -> str | None:
        """Return the id of the node that one of these inputs comes from."""
        links = (self.inputs.get(name) for name in names)
        return next((link.node for link in links if isinstance(link, Link)), None)


@dataclass(frozen=True)
class Link:
    """Where an input comes from: a node, and which of its outputs."""

    node: str
    output: int


class Graph:
    """The nodes of a graph by their ids."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self._valueless: set[tuple[str, tuple[str, ...]]] = set()  # by node and names: what is asked for once more

    def get(self, id: str | None) -> Node | None:
        """Return a node; None: there is none."""
        return None if id is None else self.nodes.get(id)

    def upstream(self, start: str | None, names: tuple[str, ...] | None = None) -> Iterator[Node]:
        """Yield the node `start` and those that it comes from, the nearest first, each once.

        `names` are the inputs that are followed; None: all.
        """
        waiting, seen = deque([start]), {start}
        while waiting:
            node = self.get(waiting.popleft())
            if node is None:
                continue
            yield node
            for name, value in node.inputs.items():
                if isinstance(value, Link) and (names is None or name in names) and value.node not in seen:
                    seen.add(value.node)
                    waiting.append(value.node)

    def value(self, start: Node | None, *names: str) -> Any:
        """Return what one of these inputs of a node is; one that comes from another node is looked up there."""
        return self._value(start, names, set())

    def _value(self, node: Node | None, names: tuple[str, ...], seen: set[str]) -> Any:
        if node is None or node.id in seen or len(seen) > _DEEPEST or (node.id, names) in self._valueless:
            return None
        seen.add(node.id)
        for name in names:
            found = node.inputs.get(name)
            if isinstance(found, Link):
                found = self._value(self.get(found.node), (name, *_PLAIN), seen)
            if found is not None:
                return found
        self._valueless.add((node.id, names))
        return None


def graph_of(prompt: str | None, workflow: str | None) -> Graph | None:
    """Return the graph in `prompt`, else that in `workflow`; None: there is none that can be read."""
    for text in (prompt, workflow):
        loaded = load_object(text)
        nodes = _of_workflow(loaded) if isinstance(loaded.get("nodes"), list) else _of_prompt(loaded)
        if nodes:
            return Graph(nodes)
    return None


def _of_prompt(loaded: Mapping[str, Any]) -> dict[str, Node]:
    inner = loaded.get("prompt")  # as it is sent to ComfyUI
    entries = inner if isinstance(inner, dict) else loaded
    nodes: dict[str, Node] = {}
    for id, entry in list(entries.items())[:_MOST_NODES]:
        kind = mapping(entry).get("class_type")
        if isinstance(kind, str):
            inputs = {name: _read_input(value) for name, value in mapping(mapping(entry).get("inputs")).items()}
            nodes[str(id)] = Node(str(id), kind, inputs)
    return nodes


def _read_input(value: object) -> object:
    """A list of an id and a number is a link; an empty one or another is a value."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int):
        return Link(value[0], value[1])
    return value


def _of_workflow(loaded: Mapping[str, Any]) -> dict[str, Node]:
    links = {}
    for link in listed(loaded.get("links"))[: _MOST_NODES * 10]:
        if isinstance(link, list) and len(link) >= 3 and isinstance(link[0], int) and isinstance(link[2], int):
            links[link[0]] = Link(str(link[1]), link[2])
    nodes: dict[str, Node] = {}
    for entry in (mapping(one) for one in listed(loaded.get("nodes"))[:_MOST_NODES]):
        kind = entry.get("type")
        if not isinstance(kind, str) or entry.get("mode") in _TURNED_OFF:
            continue
        inputs = _widget_values(kind, entry)
        for socket in (mapping(one) for one in listed(entry.get("inputs"))):
            number = socket.get("link")
            if isinstance(number, int) and number in links:
                inputs[str(socket.get("name"))] = links[number]
        nodes[str(entry.get("id"))] = Node(str(entry.get("id")), kind, inputs)
    return nodes


def _widget_values(kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a node's fields on the page hold: newer workflows name them, of older ones the order is known."""
    values = entry.get("widgets_values")
    if isinstance(values, dict):
        return dict(values)
    values = listed(values)
    names = list(_WIDGETS.get(kind, ()))
    if not names:
        for socket in (mapping(one) for one in listed(entry.get("inputs"))):
            name = mapping(socket.get("widget")).get("name")
            if isinstance(name, str):
                names += [name, ""] if name in ("seed", "noise_seed") else [name]
    return {name: value for name, value in zip(names, values, strict=False) if name}
