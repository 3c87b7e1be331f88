"""Fooocus: JSON of its own where A1111 has its infotext, or that with a few keys more (`fooocus_scheme`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modules.images.foreign.reading import Reading, bare_name, listed, load_object, shown
from modules.images.foreign.sampler_names import sampler_pairs

PROGRAM = "Fooocus"
# Its names in JSON, and those in older files, which are the labels of its page.
_LABELS = {
    "prompt": "Prompt", "negative_prompt": "Negative Prompt", "styles": "Styles", "performance": "Performance",
    "steps": "Steps", "resolution": "Resolution", "guidance_scale": "Guidance Scale", "sharpness": "Sharpness",
    "adm_guidance": "ADM Guidance", "refiner_swap_method": "Refiner Swap Method",
    "adaptive_cfg": "CFG Mimicking from TSNR", "overwrite_switch": "Overwrite Switch", "base_model": "Base Model",
    "refiner_model": "Refiner Model", "refiner_switch": "Refiner Switch", "sampler": "Sampler",
    "scheduler": "Scheduler", "vae": "VAE", "seed": "Seed", "freeu": "FreeU", "version": "Version",
}  # fmt: skip
_ITS_OWN = ("styles", "performance", "sharpness", "adm_guidance", "refiner_swap_method", "adaptive_cfg",
            "overwrite_switch", "freeu")  # fmt: skip
_NO_VAE = ("", "None", "Default (model)")
_SIZE = re.compile(r"\(?'?(\d{1,6})'?\s*[,x×*]\s*'?(\d{1,6})'?\)?")
_MOST_NETWORKS = 50


def read(items: Mapping[str, str]) -> Reading | None:
    """Read its JSON; None where it wrote an infotext."""
    said = load_object(items.get("parameters"))
    its_own = items.get("fooocus_scheme") or items.get("MakerNote")
    if its_own != "fooocus" and not ({"base_model", "guidance_scale"} <= set(said) or "Guidance Scale" in said):
        return None
    if not said:
        return None
    values = {name: said.get(name, said.get(label)) for name, label in _LABELS.items()}
    reading = Reading(PROGRAM)
    reading.pairs |= {"Prompt": shown(values["prompt"]), "Negative prompt": shown(values["negative_prompt"])}
    reading.put("Steps", values["steps"])
    reading.pairs |= sampler_pairs(values["sampler"], values["scheduler"])
    reading.put("CFG scale", values["guidance_scale"])
    reading.put("Seed", values["seed"])
    size = _SIZE.match(shown(values["resolution"]))
    if size:
        reading.put_size(size[1], size[2])
    reading.put("Model hash", said.get("base_model_hash"))
    reading.put("Model", bare_name(values["base_model"]))
    if shown(values["vae"]) not in _NO_VAE:
        reading.put("VAE", bare_name(values["vae"]))
    if shown(values["refiner_model"]) not in ("", "None"):
        reading.put("Refiner", bare_name(values["refiner_model"]))
        reading.put("Refiner switch at", values["refiner_switch"])
    _put_networks(reading, said)
    for name in _ITS_OWN:
        if shown(values[name]) not in ("", "None", "[]"):
            reading.leave(_LABELS[name], values[name])
    reading.rows["Version"] = shown(values["version"])
    return reading


def _put_networks(reading: Reading, said: Mapping[str, Any]) -> None:
    """LoRAs stand as "name : weight", with whether each is on before it in newer files; hashes in a list."""
    for index in range(1, _MOST_NETWORKS):
        text = said.get(f"lora_combined_{index}", said.get(f"LoRA {index}"))
        parts = [part.strip() for part in text.split(" : ")] if isinstance(text, str) else []
        if len(parts) == 3 and parts[0] == "False":
            continue
        if len(parts) >= 2 and parts[-2] != "None":
            reading.put_network(parts[-2], parts[-1])
    hashes = []
    for entry in listed(said.get("loras"))[:_MOST_NETWORKS]:
        if isinstance(entry, list) and len(entry) >= 2:
            reading.put_network(entry[0], entry[1])
            if len(entry) > 2:
                hashes.append(f"{bare_name(entry[0])}: {shown(entry[2])[:12]}")
    reading.put("Lora hashes", ", ".join(hashes))
