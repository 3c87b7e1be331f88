"""Graphs of ComfyUI: as `prompt`, as `workflow`, in the tags of a WebP."""

from __future__ import annotations

from typing import Any

from tests.images.foreign.sample import Sample, as_json


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """Return a node of a `prompt`; links are given as (id, output)."""
    return {"class_type": kind, "inputs": {name: list(one) if isinstance(one, tuple) else one for name, one in
                                           inputs.items()}}  # fmt: skip


_LOADER = {"4": node("CheckpointLoaderSimple", ckpt_name="sub/v1-5.safetensors")}
_WORDS = {
    "6": node("CLIPTextEncode", text="a cat, (sitting:1.2), embedding:easy.pt", clip=("4", 1)),
    "7": node("CLIPTextEncode", text="blurry", clip=("4", 1)),
}
_LATENT = {"5": node("EmptyLatentImage", width=512, height=768, batch_size=1)}
_END = {"8": node("VAEDecode", samples=("3", 0), vae=("4", 2)), "9": node("SaveImage", images=("8", 0))}
_SAMPLING: dict[str, Any] = {
    "seed": 42,
    "steps": 20,
    "cfg": 8.0,
    "sampler_name": "dpmpp_2m",
    "scheduler": "karras",
    "denoise": 1.0,
}


def _sampler(**changes: Any) -> dict[str, Any]:
    links = {"model": ("4", 0), "positive": ("6", 0), "negative": ("7", 0), "latent_image": ("5", 0)}
    return node("KSampler", **(_SAMPLING | links | changes))


BASE = {**_LOADER, **_WORDS, **_LATENT, "3": _sampler(), **_END}
READ = {
    "Prompt": "a cat, (sitting:1.2), easy", "Negative prompt": "blurry", "Steps": "20", "Sampler": "DPM++ 2M",
    "Schedule type": "Karras", "CFG scale": "8", "Seed": "42", "Size": "512x768", "Model": "v1-5",
}  # fmt: skip
_NETWORKS = BASE | {
    "10": node("LoraLoader", lora_name="ink.safetensors", strength_model=0.8, strength_clip=0.5, model=("4", 0)),
    "11": node("LoraLoaderModelOnly", lora_name="oil.safetensors", strength_model=1.0, model=("10", 0)),
    "12": node("Power Lora Loader (rgthree)", lora_1={"on": True, "lora": "x.safetensors", "strength": 0.3},
               lora_2={"on": False, "lora": "y.safetensors", "strength": 1}, model=("11", 0)),
    "13": node("CLIPSetLastLayer", stop_at_clip_layer=-2, clip=("4", 1)),
    "14": node("VAELoader", vae_name="soft.pt"),
    "3": _sampler(model=("12", 0)),
}  # fmt: skip
_HIRES = BASE | {
    "20": node("LatentUpscaleBy", upscale_method="nearest-exact", scale_by=1.5, samples=("3", 0)),
    "21": _sampler(latent_image=("20", 0), denoise=0.5, steps=14, seed=43),
    "8": node("VAEDecode", samples=("21", 0), vae=("4", 2)),
}
_UPSCALER = BASE | {
    "8": node("VAEDecode", samples=("21", 0), vae=("4", 2)),
    "22": node("VAEDecode", samples=("3", 0), vae=("4", 2)),
    "23": node("ImageUpscaleWithModel", upscale_model=("24", 0), image=("22", 0)),
    "24": node("UpscaleModelLoader", model_name="4x-Sharp.pth"),
    "25": node("ImageScale", upscale_method="bicubic", width=1024, height=1536, image=("23", 0)),
    "26": node("VAEEncode", pixels=("25", 0), vae=("4", 2)),
    "21": _sampler(latent_image=("26", 0), denoise=0.4),
}
_IMG2IMG = BASE | {
    "5": node("VAEEncode", pixels=("15", 0), vae=("4", 2)), "15": node("LoadImage", image="photo.png"),
    "3": _sampler(denoise=0.6),
}  # fmt: skip
_FLUX = {
    "1": node("UNETLoader", unet_name="flux1-dev.safetensors", weight_dtype="default"),
    "2": node("CLIPTextEncode", text=("30", 0), clip=("31", 0)),
    "30": node("PrimitiveString", value="a fox"),
    "5": node("EmptySD3LatentImage", width=("32", 0), height=1024, batch_size=1),
    "32": node("PrimitiveInt", value=832),
    "26": node("FluxGuidance", guidance=3.5, conditioning=("2", 0)),
    "22": node("BasicGuider", model=("40", 0), conditioning=("26", 0)),
    "40": node("ModelSamplingFlux", max_shift=1.15, base_shift=0.5, model=("1", 0)),
    "16": node("KSamplerSelect", sampler_name="euler"),
    "17": node("BasicScheduler", scheduler="simple", steps=24, denoise=1, model=("40", 0)),
    "25": node("RandomNoise", noise_seed=7),
    "13": node("SamplerCustomAdvanced", noise=("25", 0), guider=("22", 0), sampler=("16", 0), sigmas=("17", 0),
               latent_image=("5", 0)),
    "8": node("VAEDecode", samples=("13", 0)), "9": node("SaveImage", images=("8", 0)),
}  # fmt: skip
_REFINER = {
    **_LOADER, **_WORDS, **_LATENT,
    "40": node("CheckpointLoaderSimple", ckpt_name="xl_refiner.safetensors"),
    "3": node("KSamplerAdvanced", add_noise="enable", noise_seed=5, steps=25, cfg=7, sampler_name="euler",
              scheduler="normal", start_at_step=0, end_at_step=20, model=("4", 0), positive=("6", 0),
              negative=("7", 0), latent_image=("5", 0)),
    "41": node("KSamplerAdvanced", add_noise="disable", noise_seed=0, steps=25, cfg=7, sampler_name="euler",
               scheduler="normal", start_at_step=20, end_at_step=1000, model=("40", 0), positive=("6", 0),
               negative=("7", 0), latent_image=("3", 0)),
    "8": node("VAEDecode", samples=("41", 0), vae=("40", 2)), "9": node("SaveImage", images=("8", 0)),
}  # fmt: skip
_COMBINED = BASE | {
    "16": node("CLIPTextEncode", text="at night", clip=("4", 1)),
    "17": node("ConditioningCombine", conditioning_1=("6", 0), conditioning_2=("16", 0)),
    "18": node("ControlNetApplyAdvanced", positive=("17", 0), negative=("7", 0), strength=1.0),
    "3": _sampler(positive=("18", 0), negative=("18", 1)),
}
_ZERO = BASE | {"7": node("ConditioningZeroOut", conditioning=("6", 0))}
_EFFICIENT = {
    "1": node("Efficient Loader", ckpt_name="sdxl.safetensors", positive="a dog", negative="cat",
              empty_latent_width=640, empty_latent_height=448, lora_name="None"),
    "2": node("KSampler (Efficient)", **_SAMPLING, model=("1", 0), positive=("1", 1), negative=("1", 2),
              latent_image=("1", 3)),
    "3": node("PreviewImage", images=("2", 5)),
}  # fmt: skip
WORKFLOW = {
    "nodes": [
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["sub/v1-5.safetensors"], "mode": 0},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a cat, (sitting:1.2), embedding:easy.pt"]},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["blurry"]},
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
        {"id": 3, "type": "KSampler", "widgets_values": [42, "randomize", 20, 8, "dpmpp_2m", "karras", 1], "inputs": [
            {"name": "model", "link": 1}, {"name": "positive", "link": 2}, {"name": "negative", "link": 3},
            {"name": "latent_image", "link": 4}]},
        {"id": 8, "type": "VAEDecode", "inputs": [{"name": "samples", "link": 5}]},
        {"id": 9, "type": "SaveImage", "widgets_values": ["ComfyUI"], "inputs": [{"name": "images", "link": 6}]},
        {"id": 10, "type": "Note", "widgets_values": ["words"]},
        {"id": 11, "type": "KSampler", "mode": 4, "widgets_values": [1, "fixed", 1, 1, "euler", "normal", 1]},
    ],
    "links": [[1, 4, 0, 3, 0, "MODEL"], [2, 6, 0, 3, 1, "CONDITIONING"], [3, 7, 0, 3, 2, "CONDITIONING"],
              [4, 5, 0, 3, 3, "LATENT"], [5, 3, 0, 8, 0, "LATENT"], [6, 8, 0, 9, 0, "IMAGE"], None, [7]],
}  # fmt: skip


def _graph(name: str, graph: dict[str, Any], pairs: dict[str, str], left: tuple[str, ...] = ()) -> Sample:
    return Sample(name, "ComfyUI", {"prompt": as_json(graph)}, pairs, left)


def _without(pairs: dict[str, str], *names: str, **more: str) -> dict[str, str]:
    return {key: value for key, value in pairs.items() if key not in names} | more


SAMPLES = (
    _graph("comfyui", BASE, READ),
    _graph("comfyui: networks", _NETWORKS, READ | {
        "Prompt": "a cat, (sitting:1.2), easy <lora:ink:0.5:0.8> <lora:oil:1> <lora:x:0.3>", "Clip skip": "2",
        "VAE": "soft",
    }),
    _graph("comfyui: latents enlarged", _HIRES, READ | {
        "Denoising strength": "0.5", "Hires steps": "14", "Hires upscale": "1.5",
        "Hires upscaler": "Latent (nearest-exact)",
    }),
    _graph("comfyui: enlarged by a model", _UPSCALER, READ | {
        "Denoising strength": "0.4", "Hires steps": "20", "Hires resize": "1024x1536", "Hires upscaler": "4x-Sharp.pth",
    }),
    _graph("comfyui: from a picture", _IMG2IMG, _without(READ, "Size") | {"Denoising strength": "0.6"}, ("Picture",)),
    _graph("comfyui: flux", _FLUX, {
        "Prompt": "a fox", "Negative prompt": "", "Distilled CFG Scale": "3.5", "Steps": "24", "Sampler": "Euler",
        "Schedule type": "Simple", "CFG scale": "1", "Seed": "7", "Size": "832x1024", "Model": "flux1-dev",
    }),
    _graph("comfyui: a refiner", _REFINER, READ | {
        "Steps": "25", "Sampler": "Euler", "Schedule type": "Uniform", "CFG scale": "7", "Seed": "5",
        "Refiner": "xl_refiner", "Refiner switch at": "0.8",
    }),
    _graph("comfyui: prompts combined", _COMBINED, READ | {"Prompt": "a cat, (sitting:1.2), easy AND at night"},
           ("ControlNet",)),
    _graph("comfyui: no negative prompt", _ZERO, READ | {"Negative prompt": ""}),
    _graph("comfyui: a loader with everything", _EFFICIENT, READ | {
        "Prompt": "a dog", "Negative prompt": "cat", "Size": "640x448", "Model": "sdxl",
    }),
    Sample("comfyui: workflow alone", "ComfyUI", {"workflow": as_json(WORKFLOW)}, READ),
    Sample("comfyui: what is no number", "ComfyUI",
           {"prompt": as_json(BASE).replace("1.0}", '1.0}, "is_changed": [NaN]')}, READ),
    Sample("comfyui in the tags of a webp", "ComfyUI", {}, READ, form="WEBP none",
           made={0x0110: f"prompt:{as_json(BASE)}", 0x010F: f"workflow:{as_json(WORKFLOW)}"}),
)  # fmt: skip
