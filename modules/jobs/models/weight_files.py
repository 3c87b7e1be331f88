"""Which files of a model in diffusers layout are loaded: one rule for loading, checking and hashing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from modules.jobs.models.untrusted_file import is_regular, read_object

# Drawing does without these, so a folder may lack them.
NOT_LOADED = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
# "model.fp16.safetensors", and parts of it: "model.fp16-00001-of-00002.safetensors".
_VARIANT = re.compile(r"\.(fp16|bf16|ema_only|non_ema)(-\d+-of-\d+)?$|-\d+-of-\d+\.(fp16|bf16|ema_only|non_ema)$")


def loaded_components(index: Mapping[str, object]) -> list[str]:
    """Return the parts that `model_index.json` names and that drawing needs, in its order."""
    return [name for name, kind in index.items() if name not in NOT_LOADED and is_component(name, kind)]


def is_component(name: str, kind: object) -> bool:
    """Tell whether an entry of `model_index.json` is a part: a library, and the class in it."""
    if name.startswith("_") or not isinstance(kind, list):
        return False
    return len(kind) == 2 and all(isinstance(part, str) for part in kind)


def weights_of_component(folder: Path) -> list[Path]:
    """Return the safetensors files of one part, where there are several variants those of the plain one."""
    files = sorted(path for path in folder.glob("*.safetensors") if is_regular(path) and not path.name.startswith("."))
    return [path for path in files if not _VARIANT.search(path.stem)] or files


def weights_of_folder(folder: Path) -> list[Path]:
    """Return all safetensors files that lie in folders of a model: what the first versions hashed."""
    return sorted(folder.glob("*/*.safetensors"), key=lambda path: path.relative_to(folder).as_posix())


def weights_of_model(folder: Path) -> list[Path]:
    """Return the files whose weights draw, in a fixed order: what else lies in the folder does not change a picture.

    Raises:
        OSError, ValueError: `model_index.json` cannot be read.
    """
    parts = sorted(loaded_components(read_object(folder / "model_index.json")))
    return [path for part in parts for path in weights_of_component(folder / part)]
