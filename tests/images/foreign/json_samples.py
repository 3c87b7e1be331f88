"""JSON of InvokeAI, Fooocus, NovelAI, SwarmUI and Civitai."""

from __future__ import annotations

from typing import Any

from tests.images.foreign.sample import Sample, as_json

_INVOKE: dict[str, Any] = {
    "app_version": "4.2.0", "generation_mode": "txt2img", "positive_prompt": "a (red cat)1.3 sitting++, on a hill-",
    "negative_prompt": "blurry", "width": 768, "height": 512, "seed": 99, "cfg_scale": 7.5, "steps": 30,
    "scheduler": "dpmpp_2m_k", "clip_skip": 1, "model": {"name": "dreamshaper-8", "hash": "blake3:abc", "base": "sd-1"},
    "loras": [{"model": {"name": "ink", "key": "k"}, "weight": 0.75}], "vae": {"name": "sd-vae-ft-mse"},
    "controlnets": [{"control_model": {}}], "seamless_x": True,
}  # fmt: skip
_INVOKE_3 = {
    "app_version": "3.3.0", "generation_mode": "img2img", "positive_prompt": "landscape", "negative_prompt": "",
    "width": 768, "height": 432, "seed": 3, "cfg_scale": 7.5, "steps": 50, "scheduler": "dpmpp_2m", "strength": 0.6,
    "model": {"model_name": "mix", "base_model": "sd-1"}, "loras": [{"lora": {"model_name": "oil"}, "weight": 1}],
    "refiner_model": {"model_name": "xl-refiner"}, "refiner_start": 0.8,
}  # fmt: skip
_INVOKE_2 = {
    "model": "stable diffusion", "model_weights": "stable-diffusion-1.5", "app_version": "2.3.5",
    "image": {"prompt": [{"prompt": "a cat [blurry, low] sitting", "weight": 1}], "steps": 50, "cfg_scale": 7.5,
              "seed": 5, "width": 512, "height": 640, "sampler": "k_euler_a", "type": "txt2img"},
}  # fmt: skip
_FOOOCUS = {
    "prompt": "a cat", "negative_prompt": "anime", "styles": "['Fooocus V2']", "performance": "Speed", "steps": 30,
    "resolution": "(1152, 896)", "guidance_scale": 4.0, "sharpness": 2.0, "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL", "base_model_hash": "aeb7e9e689", "refiner_model": "None", "refiner_switch": 0.5,
    "sampler": "dpmpp_2m_sde_gpu", "scheduler": "karras", "vae": "Default (model)", "seed": "7",
    "lora_combined_1": "offset : 0.1", "loras": [["offset", 0.1, "4852686128"]], "version": "Fooocus v2.5.5",
}  # fmt: skip
_FOOOCUS_OLD = {
    "Prompt": "a cat", "Negative Prompt": "", "Resolution": "(896, 1152)", "Guidance Scale": 7, "Base Model":
    "sd_xl_base.safetensors", "Refiner Model": "sd_xl_refiner.safetensors", "Refiner Switch": 0.8, "Sampler":
    "dpmpp_2m_sde_gpu", "Scheduler": "karras", "Seed": 12, "LoRA 1": "offset.safetensors : 0.5", "Steps": 30,
}  # fmt: skip
_NOVELAI = {"steps": 28, "sampler": "k_euler_ancestral", "seed": 7, "scale": 11, "uc": "lowres", "strength": 0.7,
            "width": 512, "height": 768}  # fmt: skip
_NOVELAI_4 = {
    "prompt": "1girl, {{smile}}, [hat], 1.5::red eyes::, kneeling (pose)", "uc": "lowres", "steps": 23, "scale": 5,
    "seed": 8, "width": 832, "height": 1216, "sampler": "k_dpmpp_2m", "noise_schedule": "karras", "sm": True,
    "v4_prompt": {"caption": {"base_caption": "1girl", "char_captions": [{"char_caption": "girl, blue dress"}]}},
}  # fmt: skip
_SWARM = {
    "sui_image_params": {
        "prompt": "a photo of a cat", "model": "Official/sd_xl_base_1.0", "seed": 1, "steps": "20", "cfgscale": "7.0",
        "aspectratio": "1:1", "width": 1024, "height": 1024, "sampler": "dpmpp_2m", "scheduler": "karras",
        "automaticvae": True, "negativeprompt": "dog", "swarm_version": "0.9.3.1", "loras": ["sub/ink"],
        "loraweights": ["0.7"], "clipstopatlayer": "-2", "refinermethod": "PostApply",
    },
    "sui_extra_data": {"date": "2024-11-13", "generation_time": "6.11 (prep) and 4.84 (gen) seconds"},
    "sui_models": [
        {"name": "sd_xl_base_1.0.safetensors", "param": "model", "hash": "0xd7a9"},
        {"name": "sub/ink.safetensors", "param": "loras", "hash": "0x0123456789abcdef0123"},
    ],
}  # fmt: skip
_SWARM_FLUX = {"sui_image_params": {
    "prompt": "a headshot", "model": "Flux/flux1-dev-fp8", "seed": 2042464333, "steps": 25, "cfgscale": 1.0,
    "fluxguidancescale": 3.5, "width": 512, "height": 768, "comfyuisampler": "euler", "comfyuischeduler": "simple",
    "vae": "ae.sft", "negativeprompt": "", "loras": "a,b", "loraweights": "1,0.5", "initimagecreativity": 0.6,
}}  # fmt: skip
_COMMAND = '"a cat, sitting [blurry]" -s50 -S123 -W512 -H768 -C7.5 -Ak_lms'
_CIVITAI = {
    "resource-stack": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl"}},
    "extra": {"airs": []},
    "extraMetadata": as_json({
        "prompt": "a cat", "negativePrompt": "dog", "steps": 30, "cfgScale": 6.5, "sampler": "euler_ancestral", "seed":
        4, "workflowId": "txt2img", "resources": [{"modelVersionId": 128713, "strength": 0.9}], "width": 832,
        "height": 1216,
    }),
}  # fmt: skip


def _pairs(prompt: str, negative: str, **rest: str) -> dict[str, str]:
    names = {"cfg": "CFG scale", "schedule": "Schedule type", "clip": "Clip skip", "strength": "Denoising strength",
             "distilled": "Distilled CFG Scale", "switch": "Refiner switch at", "hashes": "Lora hashes",
             "hash": "Model hash"}  # fmt: skip
    words = {"Prompt": prompt, "Negative prompt": negative}
    return words | {names.get(key, key if key.isupper() else key.capitalize()): value for key, value in rest.items()}


SAMPLES = (
    Sample("invokeai 4", "InvokeAI", {"invokeai_metadata": as_json(_INVOKE), "invokeai_graph": "{}"}, _pairs(
        "a (red cat:1.3) (sitting:1.21), on a (hill:0.9) <lora:ink:0.75>", "blurry", steps="30", sampler="DPM++ 2M",
        schedule="Karras", cfg="7.5", seed="99", size="768x512", model="dreamshaper-8", VAE="sd-vae-ft-mse", clip="2",
    ), ("Tiling", "ControlNet")),
    Sample("invokeai 3", "InvokeAI", {"invokeai_metadata": as_json(_INVOKE_3)}, _pairs(
        "landscape <lora:oil:1>", "", steps="50", sampler="DPM++ 2M", schedule="Uniform", cfg="7.5", seed="3",
        size="768x432", model="mix", refiner="xl-refiner", switch="0.8", strength="0.6",
    )),
    Sample("invokeai 2", "InvokeAI", {"sd-metadata": as_json(_INVOKE_2), "Dream": "x"}, _pairs(
        "a cat sitting", "blurry, low", steps="50", sampler="Euler a", cfg="7.5", seed="5", size="512x640",
        model="stable-diffusion-1.5",
    )),
    Sample("invokeai's command line", "InvokeAI", {"Dream": _COMMAND},
           _pairs("a cat, sitting", "blurry", steps="50", seed="123", cfg="7.5", sampler="LMS", size="512x768")),
    Sample("fooocus", "Fooocus", {"parameters": as_json(_FOOOCUS), "fooocus_scheme": "fooocus"}, _pairs(
        "a cat <lora:offset:0.1>", "anime", steps="30", sampler="DPM++ 2M SDE", schedule="Karras", cfg="4", seed="7",
        size="1152x896", hash="aeb7e9e689", model="juggernautXL", hashes="offset: 4852686128",
    ), ("Styles", "Performance", "Sharpness", "ADM Guidance")),
    Sample("fooocus in a jpeg", "Fooocus", {"parameters": ""}, _pairs(
        "a cat <lora:offset:0.1>", "anime", steps="30", sampler="DPM++ 2M SDE", schedule="Karras", cfg="4", seed="7",
        size="1152x896", hash="aeb7e9e689", model="juggernautXL", hashes="offset: 4852686128",
    ), ("Styles", "Performance", "Sharpness", "ADM Guidance"), form="JPEG",
        made={37510: as_json(_FOOOCUS), 37500: "fooocus"}),
    Sample("fooocus of before", "Fooocus", {"parameters": as_json(_FOOOCUS_OLD)}, _pairs(
        "a cat <lora:offset:0.5>", "", steps="30", sampler="DPM++ 2M SDE", schedule="Karras", cfg="7", seed="12",
        size="896x1152", model="sd_xl_base", refiner="sd_xl_refiner", switch="0.8",
    )),
    Sample("novelai", "NovelAI", {"Software": "NovelAI", "Description": "a cat", "Comment": as_json(_NOVELAI)}, _pairs(
        "a cat", "lowres", steps="28", sampler="Euler a", cfg="11", seed="7", size="512x768", clip="2", ENSD="31337",
    )),
    Sample("novelai's weights", "NovelAI", {
        "Software": "NovelAI", "Source": "NovelAI Diffusion V4.5", "Comment": as_json(_NOVELAI_4),
    }, _pairs(
        r"1girl, (smile:1.1025), (hat:0.9524), (red eyes:1.5), kneeling \(pose\)", "lowres", steps="23",
        sampler="DPM++ 2M", schedule="Karras", cfg="5", seed="8", size="832x1216", clip="2", ENSD="31337",
    ), ("Model", "SMEA", "Characters")),
    Sample("novelai without its comment", "NovelAI", {"Software": "NovelAI", "Description": "a cat", "Comment": "["},
           _pairs("a cat", "", sampler="Euler a", clip="2", ENSD="31337")),
    *(Sample(f"swarmui in {form}", "SwarmUI", {"parameters": as_json(_SWARM)}, _pairs(
        "a photo of a cat <lora:ink:0.7>", "dog", steps="20", cfg="7.0", seed="1", sampler="DPM++ 2M",
        schedule="Karras", size="1024x1024", model="sd_xl_base_1.0", clip="2", hashes="ink: 0123456789ab",
    ), ("refinermethod",), form=form) for form in ("PNG", "JPEG", "WEBP little")),
    Sample("swarmui with flux", "SwarmUI", {"parameters": as_json(_SWARM_FLUX)}, _pairs(
        "a headshot <lora:a:1> <lora:b:0.5>", "", steps="25", cfg="1", distilled="3.5", seed="2042464333",
        strength="0.6", sampler="Euler", schedule="Simple", size="512x768", model="flux1-dev-fp8", VAE="ae",
    )),
    Sample("civitai's generator", "Civitai", {"parameters": as_json(_CIVITAI)}, _pairs(
        "a cat", "dog", sampler="Euler a", steps="30", cfg="6.5", seed="4", size="832x1216",
    ), ("Model",), form="JPEG little"),
)  # fmt: skip
