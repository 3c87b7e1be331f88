"""The classes that a model's parts may be of: those of diffusers and transformers that only hold numbers and words."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import diffusers
import transformers
from diffusers.configuration_utils import ConfigMixin
from transformers.feature_extraction_utils import FeatureExtractionMixin
from transformers.image_processing_base import ImageProcessingMixin

# Tokenizers, and what makes numbers of pictures or of a conversation: a few small files each.
_READERS = (
    transformers.PreTrainedTokenizerBase,
    transformers.ProcessorMixin,
    FeatureExtractionMixin,
    ImageProcessingMixin,
)


def class_of_component(library: str, class_name: str) -> Any:
    """Return the class that `model_index.json` names for a part; None: it is none that this version loads.

    Nothing that a file names is imported: it must be there already, in a library of models, and be of a kind that is
    known to run no code of the folder's. `library` may be a folder of diffusers' pipelines, which has parts of its own.
    """
    place: Any = {"diffusers": diffusers, "transformers": transformers}.get(library)
    if place is None and library.isidentifier():
        place = getattr(diffusers.pipelines, library, None)
    if not isinstance(place, ModuleType) or not class_name.isidentifier():
        return None
    made = getattr(place, class_name, None)
    return made if isinstance(made, type) and _is_known_kind(made) else None


def is_network(made: Any) -> bool:
    """Tell whether a class has weights, and is of diffusers."""
    return issubclass(made, diffusers.ModelMixin)


def is_text_encoder(made: Any) -> bool:
    """Tell whether a class has weights, and is of transformers."""
    return issubclass(made, transformers.PreTrainedModel)


def load_reader(made: Any, place: Path) -> Any:
    """Return a part without weights: a tokenizer, a processor, a scheduler.

    A processor of pictures and words whose package for pictures is missing gives its tokenizer, which is all that
    drawing from words reads.
    """
    try:
        return made.from_pretrained(place, local_files_only=True)
    except ImportError:
        if not issubclass(made, transformers.ProcessorMixin):
            raise
        return transformers.PreTrainedTokenizerFast.from_pretrained(place, local_files_only=True)


def _is_known_kind(made: type) -> bool:
    if made.__module__.split(".")[0] not in ("diffusers", "transformers"):
        return False
    if issubclass(made, diffusers.DiffusionPipeline):
        return False  # A part is no pipeline of its own.
    return issubclass(made, (transformers.PreTrainedModel, ConfigMixin, *_READERS))
