"""A BLIP of a few kilobytes with random weights, in the folder that people have of it."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    PreTrainedTokenizerFast,
)  # fmt: skip

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "red", "heart", "on", "white"]
_SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def build(folder: Path) -> Path:
    """Write the model, its tokenizer and its preprocessing."""
    torch.manual_seed(0)
    config = BlipConfig(
        text_config={
            **_SIZES, "vocab_size": len(WORDS), "encoder_hidden_size": 16, "projection_dim": 8, "bos_token_id": 5,
            "eos_token_id": 3, "pad_token_id": 0, "sep_token_id": 3,
        },
        vision_config={**_SIZES, "image_size": 16, "patch_size": 8, "projection_dim": 8},
        projection_dim=8,
        image_text_hidden_size=8,
    )  # fmt: skip
    model = BlipForConditionalGeneration(config)
    # Random weights would end at once, or say what is no word.
    model.text_decoder.cls.predictions.bias.data[WORDS.index("red")] = 5.0
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", bos_token="[DEC]",
    )  # fmt: skip
    processor = BlipProcessor(BlipImageProcessor(size={"height": 16, "width": 16}), tokenizer)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
