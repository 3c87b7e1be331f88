"""What a folder may name as its parts: classes of diffusers and transformers that run no code of the folder's."""

import json
from pathlib import Path

import pytest
import transformers
from diffusers import AutoencoderKL, DDIMScheduler
from transformers import CLIPTextModel

from modules.engine.models.component_classes import class_of_component, is_network, is_text_encoder, load_reader
from modules.engine.models.loaded_model import ModelKey
from modules.engine.models.pipeline_folder import load_folder
from modules.engine.stopping.cancel import Cancel
from modules.errors import ModelError
from modules.shared_state import State
from tests.engine.tiny_models.parts import tokenizer


def test_networks_tokenizers_schedulers_and_guiders_are_found() -> None:
    assert class_of_component("diffusers", "AutoencoderKL") is AutoencoderKL and is_network(AutoencoderKL)
    assert class_of_component("transformers", "CLIPTextModel") is CLIPTextModel and is_text_encoder(CLIPTextModel)
    assert class_of_component("diffusers", "DDIMScheduler") is DDIMScheduler and not is_network(DDIMScheduler)
    for name in ("Qwen2Tokenizer", "T5Tokenizer", "CLIPImageProcessor", "Qwen2VLProcessor"):
        assert class_of_component("transformers", name) is getattr(transformers, name)
    assert class_of_component("diffusers", "AdaptiveProjectedMixGuidance") is not None
    assert class_of_component("stable_diffusion", "StableDiffusionSafetyChecker") is not None


@pytest.mark.parametrize(
    ("library", "class_name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("modules.paths", "Path"),
        ("transformers", "AutoModel"),
        ("transformers", "pipeline"),
        ("transformers", "Trainer"),
        ("diffusers", "StableDiffusionPipeline"),
        ("diffusers", "utils.import_utils.Path"),
        ("stable_diffusion", "torch"),
        ("__class__", "__init__"),
        ("", ""),
    ],
)
def test_nothing_else_is(library: str, class_name: str) -> None:
    assert class_of_component(library, class_name) is None


def test_a_folder_that_names_another_class_is_told_and_nothing_of_it_runs(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    index = {"_class_name": "ChromaPipeline", "vae": ["odd_module", "Odd"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "odd_module.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(ModelError, match=r"vae of odd is a odd_module\.Odd, which this version does not load\."):
        load_folder(ModelKey(folder, "x", "float32"), Cancel(State()), lambda fraction: None)


def test_a_processor_whose_package_is_missing_gives_its_tokenizer(tmp_path: Path) -> None:
    class NeedsAnother(transformers.ProcessorMixin):  # type: ignore[misc]
        @classmethod
        def from_pretrained(cls, *_arguments: object, **_more: object) -> "NeedsAnother":
            raise ImportError("it needs a package")

    tokenizer(chat=True).save_pretrained(tmp_path)
    read = load_reader(NeedsAnother, tmp_path)
    assert read("abc").input_ids == tokenizer()("abc").input_ids
    assert read.chat_template is not None
