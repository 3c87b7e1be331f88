"""Say what is on a picture, with a folder of transformers that lies on this machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image

from modules.engine.models.devices import Device
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.model_cache import ModelCache, free_memory
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.stopping.cancel import Cancel
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import ModelError, SteadyError

logger = logging.getLogger(__name__)

_LONGEST_TOKENS = 75
# What models are told that want to be asked something.
_QUESTION = "Describe this picture in one sentence."
_TASK_OF_FLORENCE = "<DETAILED_CAPTION>"
_LONGEST_REASON = 200
_OURS = {"local_files_only": True, "trust_remote_code": False}


class Captioner:
    """A model that is in memory, with what prepares pictures for it and reads its answer."""

    def __init__(self, path: Path, network: Any, processor: Any, tokenizer: Any) -> None:
        self.path = path
        self.network = network  # a module of torch, with what transformers adds
        self._processor = processor
        self._tokenizer = tokenizer
        self._kind: str = network.config.model_type

    def caption(self, picture: Image.Image) -> str:
        """Return what is on a picture, in RGB. It is stopped between two blocks of the network."""
        inputs = self._inputs(picture)
        device, dtype = self.network.device, self.network.dtype
        placed = {
            name: value.to(device, dtype) if value.is_floating_point() else value.to(device)
            for name, value in inputs.items()
        }
        with torch.inference_mode():
            # Greedy: the same picture gives the same words.
            answer = self.network.generate(**placed, max_new_tokens=_LONGEST_TOKENS, do_sample=False, num_beams=1)
        asked = placed["input_ids"].shape[1] if self._asks else 0
        text: str = self._tokenizer.decode(answer[0, asked:], skip_special_tokens=True)
        return " ".join(text.split())

    @property
    def _asks(self) -> bool:
        """Whether it goes on with a conversation, so that its answer begins with what it was told."""
        return getattr(self._processor, "chat_template", None) is not None

    def _inputs(self, picture: Image.Image) -> dict[str, torch.Tensor]:
        if self._asks:
            words = [{"type": "image", "image": picture}, {"type": "text", "text": _QUESTION}]
            made = self._processor.apply_chat_template(
                [{"role": "user", "content": words}],
                add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
            )  # fmt: skip
        elif self._kind == "florence2":
            made = self._processor(images=picture, text=_TASK_OF_FLORENCE, return_tensors="pt")
        else:
            made = self._processor(images=picture, return_tensors="pt")
        return {name: value for name, value in made.items() if isinstance(value, torch.Tensor)}


class KeptCaptioner:
    """Loads captioners and keeps the last. On the thread that draws."""

    def __init__(self, device: Device, cancel: Cancel, model_cache: ModelCache) -> None:
        self._device = device
        self._cancel = cancel
        self._model_cache = model_cache
        self._kept: Captioner | None = None
        model_cache.kept_beside.append(self.forget)

    @property
    def keys(self) -> frozenset[str]:
        """Which model is in memory, by its folder."""
        return frozenset() if self._kept is None else frozenset({str(self._kept.path)})

    def holds(self, path: Path) -> bool:
        """Tell whether the model in a folder is in memory."""
        return self._kept is not None and self._kept.path == path

    def get(self, path: Path) -> Captioner:
        """Return the model in a folder, loading it if it is not in memory.

        Raises:
            Interrupted: the job was stopped meanwhile.
            ModelError: it is none that transformers knows.
        """
        if self._kept is None or self._kept.path != path:
            self.forget()
            self._model_cache.make_room_beside(sum(file.stat().st_size for file in path.glob("*") if file.is_file()))
            captioner = wait_for(lambda: _load(path, self._device), self._cancel.check_waiting)
            self._model_cache.place_network(captioner.network, ModelKey(path, "", "float32"))
            self._kept = captioner
        return self._kept

    def forget(self) -> None:
        """Give its memory back."""
        if self._kept is not None:
            self._kept = None
            free_memory(self._device)


def _load(path: Path, device: Device) -> Captioner:
    try:
        dtype = torch.float32 if device.torch_name == "cpu" else torch.float16
        network = transformers.AutoModelForImageTextToText.from_pretrained(path, dtype=dtype, **_OURS)
        if network.config.model_type == "vision-encoder-decoder":  # Its two halves have nothing in common.
            processor = transformers.AutoImageProcessor.from_pretrained(path, **_OURS)
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, **_OURS)
        else:
            processor = transformers.AutoProcessor.from_pretrained(path, **_OURS)
            tokenizer = processor
    except SteadyError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = (str(error) or type(error).__name__).strip().splitlines()[0][:_LONGEST_REASON]
        raise ModelError(
            f"{path} cannot be loaded as an image-to-text model ({reason}): use one of BLIP, BLIP-2, GIT, ViT-GPT2, "
            "Florence-2 (of florence-community) or a model that sees and chats."
        ) from error
    logger.info("Loaded %s (%s)", path.name, network.config.model_type)
    return Captioner(path, network.eval().requires_grad_(False), processor, tokenizer)
