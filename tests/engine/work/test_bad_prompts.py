"""Whatever a prompt says, a picture comes of it; what of it is not done as it is written, the job's notes say."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from modules.jobs.rows import Job
from modules.prompts.dynamic.wildcards import Wildcards
from modules.prompts.library import PromptLibrary
from tests.engine.networks.lora_files import Tensors, kohya, numbers, write
from tests.engine.own_engine import Engine

WIDE = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
CONV = "lora_unet_down_blocks_0_resnets_0_conv1"
LONGEST = 10_000
WRITTEN = (
    "(", "[", "{", "<", "()[]{}<>", "[[[[:::]]|", "(a:1e9) (b:999999999) [c:nan:d] (e:abc:nan) ", "(:1.5)[:3][|][::]",
    "{a|b}${c}__d", "\\", "\x1b\u202e\ufffe ",
)  # fmt: skip
READ_EACH = ("a AND b :999999999 AND :nan AND ", "BREAK ")  # Each is read, and drawn, by itself: fewer will do.


def on_convolution(seed: int = 0) -> Tensors:
    return kohya(CONV, numbers(16, 16, 3, 3), seed=seed)


@pytest.fixture(scope="module", autouse=True)
def loras(models_folder: Path) -> Iterator[None]:
    """One that fits, hundreds of its kind, one that is cut short, one for words of another width, one for nothing."""
    folder = models_folder / "Lora" / "bad"
    files = [
        write(folder / "fits.safetensors", on_convolution()),
        write(folder / "cut.safetensors", on_convolution()),
        write(folder / "sdxl.safetensors", kohya(WIDE, numbers(32, 2048))),
        *(write(folder / f"many{number}.safetensors", on_convolution(number)) for number in range(200)),
    ]
    files[1].write_bytes(files[1].read_bytes()[:-20])
    yield
    for file in files:
        file.unlink()


@pytest.fixture
def engine(engine: Engine) -> Engine:
    folder = engine.folder.wildcards
    folder.mkdir(parents=True)
    (folder / "self.txt").write_text("a __self__\n")
    engine.parts.catalogue.library = PromptLibrary(wildcards=Wildcards([folder]))
    return engine


def texts(job: Job) -> list[str]:
    return [note.text for note in job.notes]


def pixels(engine: Engine, job: Job) -> bytes:
    with Image.open(io.BytesIO(engine.files(job)[0])) as picture:
        return picture.tobytes()


def test_nothing_that_is_written_keeps_a_picture_from_being_drawn(engine: Engine) -> None:
    for part, length in (*((one, LONGEST) for one in WRITTEN), *((one, 500) for one in READ_EACH)):
        text = (part * LONGEST)[:length]
        job = engine.draw(prompt=text, negative_prompt=text[:1000], steps=1, width=64, height=64)
        assert (job.status, len(engine.files(job))) == ("done", 1), (part, job.error)


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("<lora:cut:1>", ["LoRA 'cut' cannot be used, so it is left out: ", " is cut short by 20 bytes: fetch it"]),
        ("<lora:sdxl:1>", ["LoRA 'sdxl' does not go with the model (it is for Stable Diffusion XL, and tiny is "]),
        ("<lora:fits:abc> <lora:fits:nan>", ["'abc' is not a number, 1 is used.", "'nan' is not a number, 1 is used"]),
        ("<lora:fits:1e9>", ["<lora:fits:1e9> has a weight of 1e+09, which leaves no picture"]),
        ("__self__, __gone__", ["There is no wildcard __gone__", "These lead to themselves, or to too long a text"]),
    ],
)  # fmt: skip
def test_what_is_not_done_is_told_and_the_rest_is_drawn(engine: Engine, prompt: str, says: list[str]) -> None:
    job = engine.draw(prompt=f"a heart {prompt}", steps=1)
    assert (job.status, len(engine.files(job))) == ("done", 1), job.error
    assert all(any(words in text for text in texts(job)) for words in says), texts(job)


def test_two_hundred_loras_at_once_are_used_or_told_of(engine: Engine) -> None:
    plain = pixels(engine, engine.draw(prompt="a heart", steps=1))
    several = engine.draw(prompt="a heart " + "".join(f"<lora:many{number}:0.05>" for number in range(200)), steps=1)
    assert (several.status, texts(several)) == ("done", [])
    assert pixels(engine, several) != plain
    gone = engine.draw(prompt="a heart " + "".join(f"<lora:gone{number}:1>" for number in range(200)), steps=1)
    assert (gone.status, len(texts(gone))) == ("done", 13)
    assert pixels(engine, gone) == plain  # What was in the weights is out of them.
