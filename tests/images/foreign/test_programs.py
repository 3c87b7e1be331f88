"""Sixty pictures of other programs, made from the descriptions of their formats, and hostile ones."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from PIL import Image

from modules.errors import InvalidRequest
from modules.images.foreign import programs
from modules.images.foreign.comfy_graph import Graph
from modules.images.foreign.compel import a1111_weights as of_compel
from modules.images.foreign.novelai import a1111_weights as of_novelai
from modules.images.foreign.reading import WEIGHED_LONGEST
from modules.images.infotext import parse_pairs
from modules.images.picture_info import read_parameters
from modules.images.takeover import take_over
from tests.images.foreign import comfy_samples, json_samples, written_samples
from tests.images.foreign.comfy_samples import BASE, node
from tests.images.foreign.sample import Sample, as_json, chunk

SAMPLES = (*written_samples.SAMPLES, *json_samples.SAMPLES, *comfy_samples.SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_settings_of_each_program_are_read(sample: Sample) -> None:
    found = read_parameters(sample.file())
    assert found.program == sample.program
    assert dict(found.pairs) == sample.pairs
    assert tuple(one.label for one in found.left) == sample.left
    # What the page takes over is an infotext: it says the same.
    read_again = parse_pairs(found.settings)
    assert {key: value for key, value in read_again.items() if value} == {
        key: value for key, value in sample.pairs.items() if value
    }


def test_there_are_sixty_of_them_and_no_two_alike() -> None:
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) >= 60


def test_an_infotext_is_told_as_it_stands_and_other_settings_as_one() -> None:
    by_name = {sample.name: sample for sample in SAMPLES}
    written = by_name["sd.next"]
    assert read_parameters(written.file()).info == written.items["parameters"]
    assert read_parameters(by_name["comfyui"].file()).info == (
        "a cat, (sitting:1.2), easy\nNegative prompt: blurry\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, "
        "CFG scale: 8, Seed: 42, Size: 512x768, Model: v1-5"
    )
    rows = read_parameters(by_name["comfyui"].file()).rows
    assert ("Seed", "42", "prompt, PNG tEXt") in rows and rows[-1].key == "prompt"


def test_what_of_it_is_possible_here_is_taken_over() -> None:
    found = take_over(read_parameters(SAMPLES[-1].file()).settings, ())
    assert found.values["sampler_name"] == "DPM++ 2M" and found.values["scheduler"] == "Karras"
    assert [(one.label, one.value) for one in found.left] == [("Checkpoint", "v1-5")]


def circle(count: int = 300) -> dict[str, Any]:
    """Return a graph in which everything comes from everything else."""
    ids = [str(number) for number in range(count)]
    return {
        id: node("KSampler", **{name: (other, 0) for name, other in zip(
            ("model", "positive", "negative", "latent_image", "seed", "steps", "cfg", "sampler_name", "text", "value"),
            ids[index + 1 :] + ids, strict=False)})
        for index, id in enumerate(ids)
    }  # fmt: skip


@pytest.mark.parametrize(
    "graph",
    [
        circle(),
        BASE | {"6": node("CLIPTextEncode", text=("6", 0))},
        BASE | {"4": node("ModelMerge", model=("3", 0), lora_name=("4", 0))},
        BASE | {"3": node("KSampler", positive=("nowhere", 0), latent_image=("3", 0), seed=[1, 2, 3], steps={"a": 1})},
        {"1": node("KSampler", positive=None, latent_image=None)},
        {"1": {"class_type": 5}, "2": [], "3": None, "4": {"class_type": "KSampler", "inputs": [1]}},
        BASE
        | {"6": node("Join", string_a=("100", 0))}
        | {str(number): node("Join", string_a=(str(number + 1), 0)) for number in range(100, 9_000)},
        {str(number): node("Reroute", model=(str(number + 1), 0)) for number in range(19_000)},
        {str(number): node("SaveImage", images=(str(number + 1), 0)) for number in range(19_000)},
        {str(number): node("KSampler", latent_image=(str(number + 1), 0), seed=1) for number in range(9_000)},
    ],
)
def test_a_graph_that_makes_no_sense_is_read_to_its_end(graph: dict[str, Any]) -> None:
    found = programs.read({"prompt": as_json(graph)})
    assert found is None or found.program == "ComfyUI"


def test_two_megabytes_of_circles_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, value = [0], Graph._value

    def counting(self: Graph, *given: Any) -> Any:
        asked[0] += 1
        return value(self, *given)

    monkeypatch.setattr(Graph, "_value", counting)
    graph = circle(3_000)
    text = as_json(graph | {"note": node("Note", text="x" * ((2 << 20) - len(as_json(graph)) - 100))})
    found = programs.read({"prompt": text})
    assert found is not None and found.program == "ComfyUI" and not any(one.label == "prompt" for one in found.left)
    assert asked[0] < 50 * len(graph)


def test_a_graph_that_is_longer_than_is_read_is_told() -> None:
    found = programs.read({"prompt": as_json(BASE | {"note": node("Note", text="x" * (2 << 20))})})
    assert found is not None and [one.label for one in found.left] == ["prompt", "Graph"]


@pytest.mark.parametrize("key", ["prompt", "workflow", "invokeai_metadata", "sd-metadata", "parameters", "Comment"])
@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"a":' * 100_000, '{"nodes": 5}', '{"image": [1]}', "{", '"x"', "\0\x1b[31m"]
)
def test_json_that_makes_no_sense_says_nothing(key: str, text: str) -> None:
    found = programs.read({key: text, "Software": "NovelAI" if key == "Comment" else "x"})
    assert found is None or found.pairs["Prompt"] == ""


def values() -> strategies.SearchStrategy[Any]:
    plain = strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text()

    def within(inner: strategies.SearchStrategy[Any]) -> strategies.SearchStrategy[Any]:
        keys = strategies.text(max_size=5)
        return strategies.lists(inner, max_size=3) | strategies.dictionaries(keys, inner, max_size=3)

    return strategies.recursive(plain, within, max_leaves=8)


KNOWN = [
    ("invokeai_metadata", json.loads(json_samples.SAMPLES[0].items["invokeai_metadata"])),
    ("parameters", json.loads(json_samples.SAMPLES[4].items["parameters"])),
    ("parameters", json_samples._SWARM["sui_image_params"]),
    ("Comment", json_samples._NOVELAI_4),
    ("prompt", BASE),
]  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(strategies.sampled_from(KNOWN), strategies.data())
def test_any_value_in_any_place_is_read_or_left(known: tuple[str, dict[str, Any]], data: strategies.DataObject) -> None:
    key, said = known
    changed = said | {
        name: data.draw(values())
        for name in data.draw(strategies.sets(strategies.sampled_from(sorted(said)), max_size=4))
    }
    if said is json_samples._SWARM["sui_image_params"]:
        changed = {"sui_image_params": changed}
    software = {"Software": "NovelAI"} if key == "Comment" else {}
    found = programs.read({key: json.dumps(changed), **software})
    assert found is None or all(isinstance(value, str) for value in found.pairs.values())


def test_weights_of_other_programs() -> None:
    assert of_novelai("{a, [b]}, {{c") == "(a, :1.05)b, (c:1.1025)"
    assert of_novelai("0.5::a::, b (c)") == r"(a:0.5), b \(c\)"
    assert of_compel("a (b c)+, d--, e-f, 1.5") == "a (b c:1.1), (d:0.81), e-f, 1.5"


@pytest.mark.parametrize("part", ["{", "[", "1::", "(a)", "a+", "+", "1", "-"])
def test_weights_of_a_text_that_is_longer_than_any_prompt_are_left_as_they_are(part: str) -> None:
    """Texts may have megabytes."""
    text = part * (WEIGHED_LONGEST // len(part) + 1)
    assert of_novelai(text) == of_compel(text) == text
    shorter = text[: WEIGHED_LONGEST - len(part)]
    assert isinstance(of_novelai(shorter), str) and isinstance(of_compel(shorter), str)


def test_a_text_that_is_blown_up_or_too_long_is_refused_in_words() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    data = buffer.getvalue()
    many = data[:33] + b"".join(chunk(b"tEXt", b"a%d\0" % number + b"x" * (3 << 20)) for number in range(5)) + data[33:]
    with pytest.raises(InvalidRequest, match="more than 12,582,912 characters") as caught:
        read_parameters(many)
    assert caught.value.field == "image"
    five = Sample("", "", {"parameters": "a\n" + "Steps: 1, " * 500_000}, {})
    for form in ("PNG", "WEBP"):
        with pytest.raises(InvalidRequest, match="has 5000002 characters and at most 100000 are read"):
            read_parameters(Sample("", "", five.items, {}, form=form).file())


def test_control_characters_and_markup_stay_text() -> None:
    said = "\x1b[31m\x00<img src=x onerror=alert(1)>\u202e"
    found = read_parameters(
        Sample("", "", {"parameters": f"{said}\nSteps: 1, Seed: 2, Size: 8x8"}, {}, form="WEBP").file()
    )
    assert found.pairs["Prompt"] == said and found.pairs["Seed"] == "2"
