"""PNG bytes that follow from the picture alone, and what can be read from them and from A1111's files."""

import io
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from PIL import ExifTags, Image, PngImagePlugin, _imaging

from modules.errors import InvalidRequest
from modules.images.infotext import write
from modules.images.picture_info import PictureInfo, read_parameters
from modules.images.png import encode_png
from modules.jobs.kinds.base import Source
from modules.jobs.kinds.txt2img import TXT2IMG
from tests.jobs.made_jobs import resolved_job as resolved


def picture() -> Image.Image:
    image = Image.new("RGB", (16, 8))
    image.putdata([(x * 16, y * 32, 7) for y in range(8) for x in range(16)])
    return image


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))


def test_the_same_picture_gives_the_same_bytes() -> None:
    alone, batch = resolved(seed=1002, n_iter=1), resolved(seed=1000, n_iter=4, save_images=False)
    first = encode_png(picture(), write(alone, 0), TXT2IMG.picture(alone, 0))
    second = encode_png(picture(), write(batch, 2), TXT2IMG.picture(batch, 2))
    assert first == second


def test_the_pixels_and_both_chunks_are_there() -> None:
    data = encode_png(picture(), write(resolved(), 1), TXT2IMG.picture(resolved(), 1))
    with Image.open(io.BytesIO(data)) as image:
        assert image.tobytes() == picture().tobytes()
        assert set(image.info) == {"parameters", "steady"}
        assert image.info["parameters"] == write(resolved(), 1)
        own = json.loads(image.info["steady"])
    assert own["seed"] == 1001
    assert own["checkpoint_hash"] == resolved().sources.checkpoint.hash
    assert "batch_size" not in own


def test_our_own_chunk_is_what_it_was_in_every_version() -> None:
    """To the byte: who draws a picture again finds the very file, also with values that later versions add to a job."""
    job = resolved(prompt='a 🦄 "quoted", ünïcode\nline', n_iter=3, batch_size=2, environment={"torch": "2.13"})
    data = encode_png(picture(), "", TXT2IMG.picture(job, 3), partial=(5, 20))
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["steady"] == (
            '{"cfg_scale":7.0,"checkpoint":"emoji","checkpoint_hash":"'
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            '","dtype":"float32","height":768,"layout":"contiguous","negative_prompt":"","partial":[5,20],'
            '"prompt":"a 🦄 \\"quoted\\", ünïcode\\nline","sampler_name":"Euler a","scheduler":"Automatic","seed":1003,'
            '"steps":20,"threads":2,"version":"0.1.0","width":512}'
        )


def test_text_beyond_latin_1_is_kept() -> None:
    info = write(resolved(prompt="ein ❤, 赤いハート"), 0)
    assert read_parameters(encode_png(picture(), info, {})).info == info


def test_a_partial_picture_says_so() -> None:
    data = encode_png(picture(), "x", TXT2IMG.picture(resolved(), 0), partial=(12, 20))
    assert json.loads(read_parameters(data).items["steady"])["partial"] == [12, 20]


@pytest.mark.parametrize(
    "prompt", ["Negative prompt: of a shop", "  indented\n\n\tlines ", "Steps: 1, Seed: 2, Size: 8x8"]
)
def test_our_own_chunk_keeps_prompts_that_text_cannot_carry(prompt: str) -> None:
    made = resolved(prompt=prompt)
    assert (
        read_parameters(encode_png(picture(), write(made, 0), TXT2IMG.picture(made, 0))).parameters["prompt"] == prompt
    )


@settings(deadline=None, max_examples=50)
@given(strategies.text(strategies.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_prompt_comes_back(prompt: str) -> None:
    made = resolved(prompt=prompt)
    found = read_parameters(encode_png(picture(), write(made, 0), TXT2IMG.picture(made, 0)))
    assert found.parameters["prompt"] == prompt
    assert found.parameters["override_settings"] == {"sd_model_checkpoint": "emoji"}


def test_vae_and_files_chosen_by_hand_come_back_with_the_checkpoint() -> None:
    made = resolved()
    vae, modules = Source(name="soft.safetensors", hash="c" * 64), ("sub/t5xxl.safetensors",)
    sources = made.sources.model_copy(update={"vae": vae, "modules": modules})
    made = made.model_copy(update={"sources": sources})
    found = read_parameters(encode_png(picture(), write(made, 0), TXT2IMG.picture(made, 0)))
    assert found.parameters["override_settings"] == {
        "sd_model_checkpoint": "emoji",
        "sd_vae": "soft.safetensors",
        "forge_additional_modules": ["sub/t5xxl.safetensors"],
    }


def test_png_of_a1111_is_read() -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", "a cat\nSteps: 5, Seed: 6, Size: 64x64")
    chunks.add_text("extra", "kept")
    buffer = io.BytesIO()
    picture().save(buffer, "PNG", pnginfo=chunks, dpi=(72, 72))
    found = read_parameters(buffer.getvalue())
    assert found.items == {"parameters": "a cat\nSteps: 5, Seed: 6, Size: 64x64", "extra": "kept"}
    assert found.parameters == {
        "prompt": "a cat", "negative_prompt": "", "steps": 5, "seed": 6, "width": 64, "height": 64,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_exif_comment_of_a1111_is_read(form: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"UNICODE\0" + "ein ❤".encode("utf-16-be")
    buffer = io.BytesIO()
    picture().save(buffer, form, exif=exif)
    assert read_parameters(buffer.getvalue()).info == "ein ❤"


def test_a_picture_without_text_says_nothing() -> None:
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    assert read_parameters(buffer.getvalue()) == PictureInfo("", {}, {})


def test_a_file_that_breaks_off_still_tells_its_text() -> None:
    data = encode_png(picture(), "a cat", {})
    assert read_parameters(data[:-30]).info == "a cat"


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(
        InvalidRequest,
        match="The image cannot be read: send a PNG, JPEG, WebP, AVIF or GIF file, or a text with settings",
    ) as caught:
        read_parameters(data)
    assert caught.value.field == "image"


def test_no_pixel_of_a_client_s_picture_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve PNG files of 671 kB, 177 million pixels each, took the server from 220 to 5,244 MB."""
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    wide = 13_300
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", wide, wide, 8, 6, 0, 0, 0))
    pixels, end = buffer.getvalue()[33:-12], buffer.getvalue()[-12:]
    bomb = buffer.getvalue()[:8] + header + pixels + png_chunk(b"tEXt", b"parameters\0a cat, after the pixels") + end
    sizes: list[tuple[int, int]] = []
    for maker in ("new", "fill"):
        made = getattr(_imaging, maker)
        monkeypatch.setattr(_imaging, maker, lambda *a, made=made: sizes.append(a[1]) or made(*a))
    assert read_parameters(bomb).info == "a cat, after the pixels"
    assert set(sizes) <= {(1, 1)}


def test_a_text_that_nobody_wrote_is_refused_before_it_is_searched() -> None:
    """An EXIF comment of 20 million characters froze the server for 12 s."""
    with pytest.raises(InvalidRequest, match=r"has 100001 characters and at most 100000 are read") as caught:
        read_parameters(encode_png(picture(), "x" * 100_001, {}))
    assert caught.value.field == "image"
    assert read_parameters(encode_png(picture(), "x" * 100_000, {})).info == "x" * 100_000


def test_a_compressed_text_is_not_blown_up() -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("workflow", "x" * (32 << 20), zip=True)
    buffer = io.BytesIO()
    picture().save(buffer, "PNG", pnginfo=chunks)
    with pytest.raises(InvalidRequest, match="more than 12,582,912 characters"):
        read_parameters(buffer.getvalue())


@pytest.mark.parametrize("own", ["[" * 100_000, '{"seed": ' + "[" * 900 + "]" * 900 + "}", '{"steps": true}'])
def test_values_that_our_chunk_never_has_are_left_out(own: str) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("steady", own)
    buffer = io.BytesIO()
    picture().save(buffer, "PNG", pnginfo=chunks)
    assert read_parameters(buffer.getvalue()).parameters == {}


@pytest.mark.parametrize("own", ["{", "[1]", "null", '{"prompt": "from json"}'])
def test_a_foreign_chunk_of_our_name_does_no_harm(own: str) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("steady", own)
    buffer = io.BytesIO()
    picture().save(buffer, "PNG", pnginfo=chunks)
    expected: dict[str, Any] = {"prompt": "from json"} if "prompt" in own else {}
    assert read_parameters(buffer.getvalue()).parameters == expected


@pytest.mark.parametrize("extension", [".eps", ".ps", ".pdf", ".fits", ".bmp", ".tif", ".psd"])
def test_a_client_s_file_starts_no_program_and_reaches_no_other_format(
    extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An EPS of 100 bytes started Ghostscript with the client's program."""
    Image.preinit()
    Image.init()
    opened: list[str] = []
    for form, (_factory, accepts) in list(Image.OPEN.items()):
        monkeypatch.setitem(Image.OPEN, form, (lambda *_, form=form: opened.append(form), accepts))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n/x 1 def\nshowpage\n%%EOF\n"
    data = {".eps": eps, ".ps": eps}.get(extension) or _saved_as(extension)
    with pytest.raises(InvalidRequest, match="send a PNG, JPEG, WebP"):
        read_parameters(data)
    assert set(opened) <= {"JPEG", "AVIF", "GIF"}


def _saved_as(extension: str) -> bytes:
    buffer = io.BytesIO()
    form = Image.registered_extensions().get(extension, "TIFF")
    if form not in Image.SAVE:
        return b"SIMPLE  =                    T"
    picture().save(buffer, form)
    return buffer.getvalue()
