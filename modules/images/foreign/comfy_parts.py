"""Parts of a graph of ComfyUI: its words, its models with their LoRAs, and its size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modules.images.foreign.comfy_graph import Graph, Link, Node
from modules.images.foreign.reading import Reading, bare_name, number, whole
from modules.jobs.kinds.fields import PROMPT_LONGEST

# The inputs of nodes that hold words, in the order in which they are asked; `text_g` and `text_l` are one's two.
_WORDS = ("text", "text_g", "clip_l", "t5xxl", "prompt", "wildcard_text", "populated_text", "string", "String", "value")
_JOINED = ("text_a", "text_b", "text_c", "text_d", "string_a", "string_b", "string1", "string2", "text1", "text2")
_CONDITIONINGS = ("conditioning", "conditioning_1", "conditioning_2", "conditioning_to", "conditioning_from",
                  "positive", "negative", "cond", "base_ctx")  # fmt: skip
_MODELS = ("model", "model1", "lora_stack", "optional_lora_stack", "pipe", "basic_pipe")
_LOADED = ("ckpt_name", "unet_name", "base_ckpt_name", "gguf_name")
_EMBEDDING = re.compile(r"\bembedding:([\w\-./\\ ]{1,200}?)(?:\.(?:pt|safetensors|bin))?(?=[\s,:)\]]|$)")
_NUMBERED = re.compile(r"lora(?:_name)?_(\d{1,2})")
_MOST_TEXTS, _MOST_JOINED = 20, 100


def text_of(graph: Graph, start: str | None, side: str) -> str:
    """Return the words behind a conditioning: `side` is "positive" or "negative", for nodes that have both."""
    texts: list[str] = []
    for node in _conditionings(graph, start, side):
        words = _words(graph, node, side, set())
        if words and words not in texts:
            texts.append(words)
    joined = " AND ".join(texts[:_MOST_TEXTS]) if side == "positive" else ", ".join(texts[:_MOST_TEXTS])
    return _EMBEDDING.sub(lambda found: bare_name(found[1]), joined)[:PROMPT_LONGEST]


def _conditionings(graph: Graph, start: str | None, side: str) -> Iterator[Node]:
    """Yield the nodes that hold the words; one that makes nothing of them ends the way."""
    waiting, seen = [start], {start}
    while waiting:
        node = graph.get(waiting.pop(0))
        if node is None or node.kind == "ConditioningZeroOut":
            continue
        names = [name for name in _CONDITIONINGS if isinstance(node.inputs.get(name), Link)]
        if {"positive", "negative"} <= set(names):
            names = [side]
        if not names:
            yield node
        for name in names:
            link = node.inputs[name]
            if link.node not in seen:
                seen.add(link.node)
                waiting.append(link.node)


def _words(graph: Graph, node: Node, side: str, seen: set[str]) -> str:
    """Return the words that a node holds, or those of the nodes that it has them from; so many of these at most."""
    if node.id in seen or len(seen) >= _MOST_JOINED:
        return ""
    seen.add(node.id)
    joined = [text for name in _JOINED if (text := _one(graph, node, name, side, seen))]
    if joined:
        delimiter = node.inputs.get("delimiter", ", ")
        return (delimiter if isinstance(delimiter, str) else ", ").join(joined)
    for name in (*_WORDS, side):
        text = _one(graph, node, name, side, seen)
        if text:
            other = _one(graph, node, "text_l", side, seen) if name == "text_g" else ""
            return f"{text}\n{other}" if other and other != text else text
    return ""


def _one(graph: Graph, node: Node, name: str, side: str, seen: set[str]) -> str:
    value = node.inputs.get(name)
    if isinstance(value, Link):
        source = graph.get(value.node)
        return "" if source is None else _words(graph, source, side, seen)
    return value.strip() if isinstance(value, str) else ""


def models_of(reading: Reading, graph: Graph, sampler: Node) -> None:
    """Take over the model, its LoRAs on the way to it, its VAE, clip skip and shift."""
    starts = [sampler.linked("model")]
    guider = graph.get(sampler.linked("guider"))
    if guider is not None:
        starts.append(guider.linked("model"))
    networks: list[tuple[object, object, object]] = []
    for start in starts:
        for node in graph.upstream(start, _MODELS):
            networks += list(_networks_of(graph, node))
            if "Shift" not in reading.pairs and node.kind.startswith("ModelSampling"):
                reading.put("Shift", graph.value(node, "shift"))
            name = graph.value(node, *_LOADED)
            if isinstance(name, str) and "Model" not in reading.pairs:
                reading.put("Model", bare_name(name))
    # Nearest the model first, as they were plugged together.
    for one, weight, text_encoder in reversed(networks):
        reading.put_network(one, weight, text_encoder)
    for node in graph.nodes.values():
        skip = whole(graph.value(node, "stop_at_clip_layer")) if "stop_at_clip_layer" in node.inputs else None
        if skip is not None and skip < -1:
            reading.put("Clip skip", -skip)
        if node.kind == "VAELoader":
            reading.put("VAE", bare_name(graph.value(node, "vae_name")))


def _networks_of(graph: Graph, node: Node) -> Iterator[tuple[object, object, object]]:
    """Yield name and weights, that of the model first, of each LoRA of a node: of one, or of a list of them."""
    name = graph.value(node, "lora_name") if "lora_name" in node.inputs else None
    if isinstance(name, str) and name not in ("", "None"):
        yield name, graph.value(node, "strength_model", "lora_model_strength"), node.inputs.get("strength_clip")
    for key, value in node.inputs.items():
        found = _NUMBERED.fullmatch(key)
        if found is None:
            continue
        if isinstance(value, dict) and value.get("on") is not False and isinstance(value.get("lora"), str):
            yield value["lora"], value.get("strength"), value.get("strengthTwo")
        elif isinstance(value, str) and value not in ("", "None"):
            weights = (node.inputs.get(f"{start}_{found[1]}") for start in ("model_str", "lora_wt", "strength"))
            weight = next((one for one in weights if number(one, 0) != 0), 1)
            yield value, weight, node.inputs.get(f"clip_str_{found[1]}")


def size_of(graph: Graph, start: str | None, names: tuple[str, ...]) -> tuple[object, object]:
    """Return the size of the latents that a sampler begins with; nothing where they are of a picture."""
    for node in graph.upstream(start, names):
        if node.kind.startswith(("LatentUpscale", "ImageScale")):
            continue
        for width, height in (("width", "height"), ("empty_latent_width", "empty_latent_height")):
            if width in node.inputs and height in node.inputs:
                return graph.value(node, width), graph.value(node, height)
    return None, None
