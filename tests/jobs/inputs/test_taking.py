"""Whatever form a client sends a picture in, a name of an input stands in its request from then on."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.jobs.inputs.base64_text import decode_base64
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.inputs.taking import MOST_PICTURES, take_in_request
from modules.jobs.kinds.txt2img import TXT2IMG
from tests.jobs.inputs.test_inputs import red

KIND = dataclasses.replace(TXT2IMG, inputs=("init_images", "mask", "imageList"))
RED = base64.b64encode(red()).decode()
ADDRESS = "/sdapi/v1/jobs/a%20job(1)/images/3"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path / "inputs")


@pytest.fixture
def name(inputs: Inputs) -> str:
    return inputs.take_in(red()).name


def take(inputs: Inputs, path: Path | None = None, **fields: Any) -> dict[str, Any]:
    def outputs(job: str, index: int) -> Path:
        if path is None or (job, index) != ("a job(1)", 3):
            raise InvalidRequest("There is no such job: choose another picture.")
        return path

    return take_in_request(KIND, fields, inputs, outputs)


@pytest.mark.parametrize(
    "sent",
    [
        RED,
        f"data:image/png;base64,{RED}",
        f"data:;base64,{RED}",
        f"{RED[:40]}\r\n{RED[40:]}\n",
        "NAME",
        "/sdapi/v1/inputs/NAME",
    ],
)
def test_every_form_is_the_same_name(inputs: Inputs, name: str, sent: str) -> None:
    sent = sent.replace("NAME", name)
    taken = take(inputs, init_images=[sent, sent], mask=sent, imageList=[{"data": sent, "name": "a.png"}], prompt=RED)
    assert taken == {
        "init_images": [name, name],
        "mask": name,
        "imageList": [{"data": name, "name": "a.png"}],
        "prompt": RED,
    }
    assert len(list(inputs.folder.iterdir())) == 1


@pytest.mark.parametrize("ending", ["", ".png", ".png?at=1"])
def test_an_output_of_ours_is_named_by_its_address(inputs: Inputs, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "3.png"
    path.write_bytes(red())
    taken = take(inputs, path, mask=ADDRESS + ending)
    assert inputs.read(taken["mask"]) == red()
    path.unlink()
    with pytest.raises(InvalidRequest, match=r"mask: 3\.png is gone") as refused:
        take(inputs, path, mask=ADDRESS + ending)
    assert refused.value.field == "mask"
    with pytest.raises(InvalidRequest, match=r"init_images\[0\]: There is no such job: choose another") as refused:
        take(inputs, None, init_images=[ADDRESS])
    assert refused.value.field == "init_images"


@pytest.mark.parametrize("open_to", [{}, {"mask": None}, {"mask": ""}, {"init_images": []}])
def test_what_is_left_open_stays_open(inputs: Inputs, open_to: dict[str, Any]) -> None:
    assert take(inputs, **open_to) == open_to


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("https://example.com/cat.png", "Requests not allowed: .* fetches none. Send the picture's file as base64"),
        ("http://127.0.0.1:7860/sdapi/v1/inputs/" + "x" * 600, "Requests not allowed"),
        ("file:///etc/passwd", "is no base64"),
        ("/etc/passwd", "is no base64|no picture that can be read"),
        ("../../secret.png", "is no base64"),
        ("not base64!", "is no base64"),
        ("Zm9v", "no picture that can be read: send a PNG"),
        ("data:image/png,abc", "data: address without base64"),
        ("data:" + "x" * 300, "data: address without base64"),
        ("\u00e4" * 40, "is no base64"),
        ("0" * 64 + ".png", "is gone: it was deleted, or kept for a day only"),
        ("/sdapi/v1/inputs/" + "0" * 64 + ".png", "is gone"),
        ("/sdapi/v1/inputs/..%2fjobs.sqlite", "is no name of an input"),
        (7, "7 is no picture: send its file as base64"),
        ({"data": RED, "x": 1}, "is no picture"),
        (True, "is no picture"),
    ],
)
def test_anything_else_is_refused_with_its_field(inputs: Inputs, sent: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        take(inputs, mask=sent)
    assert refused.value.field == "mask"
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([None], r"init_images\[0\] is empty"),
        ([RED, ""], r"init_images\[1\] is empty"),
        ([[RED]], r"init_images\[0\] .* is no picture"),
        ([{"name": "a.png"}], r"init_images\[0\]\.data is empty"),
        ([RED, "Zm9v"], r"init_images\[1\]: .*no picture that can be read"),
        ([RED] * (MOST_PICTURES + 1), "has 1,001 pictures: send at most 1,000"),
    ],
)
def test_in_a_list_the_place_is_told_too(inputs: Inputs, sent: list[Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        take(inputs, init_images=sent)
    assert refused.value.field == "init_images"


def test_base64_is_decoded_over_the_edges_of_its_pieces() -> None:
    data = bytes(range(256)) * 9000
    text = base64.b64encode(data).decode()
    assert decode_base64(text, "image") == data
    assert decode_base64(base64.encodebytes(data).decode(), "image") == data
    for broken in (
        text[:-1],
        text[: 1 << 20] + "=" + text[1 << 20 :],
        "====",
        text[:100] + "=" + text[101:],
    ):
        with pytest.raises(InvalidRequest, match="image is no base64"):
            decode_base64(broken, "image")
