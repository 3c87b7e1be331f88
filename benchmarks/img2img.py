"""What a job that begins with a picture costs through the running program, compared with the bare diffusers pipeline.

`python -m benchmarks.img2img [work] [embedded|full] [img2img|inpaint] [rounds] [images] [steps] [side]`; budget: 1.03.
As `benchmarks.overhead`, which says how it is measured; the job is `POST /sdapi/v1/img2img` with its pictures in
base64, which are decoded, checked and kept. The bare pipeline is diffusers' own for img2img with as many steps over the
same picture. It works channels last, as its pictures come, which saves a processor a tenth of the VAE's time; ours does
not, and has the bits of txt2img. With a mask it only pastes what it drew: diffusers' own for inpainting encodes the
picture twice, which would be no measure for ours.
"""

from __future__ import annotations

import base64
import io
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image

from benchmarks.asked import asked, model_of
from benchmarks.bare import BarePipeline, stand_back_as_the_engine
from benchmarks.overhead import OFTEN_SECONDS, Way, read_events, report, take_turns, ways_of
from benchmarks.verdict import Verdicts
from tests.engine.own_engine import Engine
from tests.program import Program

BUDGET = 1.03
DEFAULTS = {"embedded": (8, 4, 20, 256), "full": (3, 1, 8, 512)}
STRENGTH = 0.75


class BareImg2Img(BarePipeline):
    """diffusers' own pipeline for img2img, with as many steps as ours does; a mask has its pictures pasted."""

    def __init__(self, folder: Path, dtype: str, picture: Image.Image, mask: Image.Image | None) -> None:
        super().__init__(folder, dtype)
        self._pipeline = StableDiffusionImg2ImgPipeline(**self._pipeline.components, requires_safety_checker=False)
        self._pipeline.set_progress_bar_config(disable=True)
        self._picture, self._mask = picture, mask

    def draw(self, request: dict[str, Any], folder: Path, threads: int) -> None:
        """Draw the images of an img2img request one after the other and save each as PNG."""
        torch.set_num_threads(threads)
        steps = request["steps"]
        for index in range(request["n_iter"]):
            picture = self._pipeline(
                request["prompt"], image=self._picture, strength=(int(STRENGTH * steps) + 1) / steps,
                num_inference_steps=steps, guidance_scale=request["cfg_scale"],
                generator=torch.Generator().manual_seed(request["seed"] + index),
            ).images[0]  # fmt: skip
            if self._mask is not None:
                picture = Image.composite(picture, self._picture, self._mask)
            picture.save(folder / f"{index}.png")


def pictures_of(side: int) -> tuple[Image.Image, Image.Image]:
    """Return a picture of soft shapes, and a mask of its middle."""
    rings = [Image.radial_gradient("L").resize((side, side)).rotate(angle) for angle in (0, 30, 60)]
    mask = Image.new("L", (side, side))
    mask.paste(255, (side // 4, side // 4, 3 * side // 4, 3 * side // 4))
    return Image.merge("RGB", rings), mask


def png_of(picture: Image.Image) -> bytes:
    """Return the bytes of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def measure_program(
    which: str,
    request: dict[str, Any],
    pictures: tuple[Image.Image, Image.Image | None],
    rounds: int,
    folder: Path,
    verdicts: Verdicts,
) -> None:
    """Compare by the clock, through REST."""
    model = model_of(which, folder)
    picture, mask = pictures
    sent = request | {"init_images": [base64.b64encode(png_of(picture)).decode()]}
    if mask is not None:
        sent |= {"mask": base64.b64encode(png_of(mask)).decode()}

    def draw() -> None:
        program.post("/sdapi/v1/img2img", sent, timeout_seconds=3600)

    def choose(settings: dict[str, Any]) -> None:
        program.post("/sdapi/v1/options", settings)
        time.sleep(1.0)  # The engine looks at the settings each half second.

    with Program(folder / "data", "--models-dir", str(folder / "models")) as program:
        program.post("/sdapi/v1/options", {"sd_model_checkpoint": model.name})
        stand_back_as_the_engine()
        streamed = read_events(program)
        draw()  # loads the model
        job = program.get("/sdapi/v1/jobs")["jobs"][0]["id"]
        resolved = program.job(job)["resolved"]
        threads = int(resolved["threads"])
        bare = BareImg2Img(model, resolved["dtype"], picture, mask)
        taken = take_turns(ways := ways_of(draw, bare, request, threads, OFTEN_SECONDS[which], folder), rounds, choose)
    print(f"through REST, {len(streamed)} lines on the event stream; {os.cpu_count()} cores")
    for way, its in zip(ways, taken, strict=True):
        report(named(way, mask), its, taken[0], verdicts, BUDGET)


def measure_work(
    which: str,
    request: dict[str, Any],
    pictures: tuple[Image.Image, Image.Image | None],
    rounds: int,
    folder: Path,
    verdicts: Verdicts,
) -> None:
    """Compare by processor time, in this process."""
    model = model_of(which, folder)
    picture, mask = pictures
    engine = Engine(folder / "data", model.parent.parent)
    engine.options.update({"sd_model_checkpoint": model.name, "torch_threads": 1})
    take_in = engine.parts.inputs.take_in

    def draw() -> None:
        sent: dict[str, Any] = {"init_images": [take_in(png_of(picture)).name]}
        sent |= {} if mask is None else {"mask": take_in(png_of(mask)).name}
        engine.store.queue.submit("img2img", request | sent, "benchmark")
        job = engine.run_next()
        assert job.status == "done", job.error

    draw()
    draw()
    resolved = engine.store.jobs.page()[0][0].resolved
    assert resolved is not None
    ways = ways_of(draw, BareImg2Img(model, resolved["dtype"], picture, mask), request, 1, OFTEN_SECONDS[which], folder)
    ways[-1].act()
    taken = take_turns(ways, rounds, engine.options.update, time.process_time)
    print("processor time of the process, one thread")
    for way, its in zip(ways, taken, strict=True):
        report(named(way, mask), its, taken[0], verdicts, BUDGET)
    engine.close()


def named(way: Way, mask: Image.Image | None) -> Way:
    """Return a way whose name says what is drawn."""
    return replace(way, name=f"{'img2img' if mask is None else 'inpaint'}, {way.name}")


def main() -> None:
    """Measure and print."""
    given, verdicts = asked(DEFAULTS), Verdicts()
    request = given.request | {"denoising_strength": STRENGTH, "inpainting_fill": 1, "inpaint_full_res": False}
    picture, mask = pictures_of(request["width"])
    measure = measure_work if "work" in given.words else measure_program
    for kind in [one for one in ("img2img", "inpaint") if one in given.words] or ["img2img", "inpaint"]:
        print(f"{kind}, {given.said}, of which {int(STRENGTH * request['steps']) + 1} are done")
        with tempfile.TemporaryDirectory() as name:
            pictures = picture, mask if kind == "inpaint" else None
            measure(given.which, request, pictures, given.rounds, Path(name), verdicts)
    verdicts.end()


if __name__ == "__main__":
    main()
