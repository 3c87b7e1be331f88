"""Pictures of a job as files of a pattern, with texts beside them and a grid; the same again after a crash."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from modules.images.picture_info import read_parameters
from modules.jobs.kinds.registry import validate_drawing
from modules.prompts.styles.style import Style
from tests.engine.conftest import Engine

CHOSEN = {
    "samples_format": "webp", "webp_lossless": True, "save_txt": True, "grid_save": True, "grid_format": "jpg",
    "samples_filename_pattern": "[model_name]/[prompt]-[seed]-[denoising]", "save_images_add_number": False,
    "directories_filename_pattern": "[width]x[height]",
}  # fmt: skip


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_files_lie_and_are_called_as_the_settings_say(engine: Engine) -> None:
    engine.options.update(CHOSEN)
    job = engine.draw(n_iter=3, steps=1)
    assert job.status == "done"
    folder = f"{job.resolved['passes'][0]['width']}x{job.resolved['passes'][0]['height']}" if job.resolved else ""
    outputs = engine.folder.outputs
    stems = [f"txt2img-images/{folder}/tiny/a_heart-{seed}" for seed in (7, 8, 9)]
    grid = f"txt2img-grids/{folder}/tiny/grid-a_heart-7.jpg"
    assert tree(outputs) == sorted([grid, *(f"{stem}{end}" for stem in stems for end in (".txt", ".webp"))])
    images = engine.store.jobs.images(job.id)
    assert [image.name for image in images] == [f"outputs/{stem}.webp" for stem in stems]
    found = read_parameters((outputs / f"{stems[1]}.webp").read_bytes())
    assert (found.info, found.parameters["seed"]) == (images[1].infotext, 8)
    assert (outputs / f"{stems[1]}.txt").read_text() == f"{images[1].infotext}\n"
    with Image.open(outputs / grid) as sheet, Image.open(outputs / f"{stems[0]}.webp") as first:
        assert sheet.size == (first.width * 2, first.height * 2)
    assert read_parameters((outputs / grid).read_bytes()).info == images[0].infotext

    again = engine.draw(n_iter=1, steps=1)
    assert [image.name for image in engine.store.jobs.images(again.id)] == [f"outputs/{stems[0]}-1.webp"]
    assert (outputs / f"{stems[0]}-1.webp").read_bytes() == (outputs / f"{stems[0]}.webp").read_bytes()
    assert engine.store.deletion.delete(job.id, files=True)[1].files_left == 0
    assert tree(outputs) == [f"{stems[0]}-1.txt", f"{stems[0]}-1.webp"]


def test_the_styles_that_a_job_was_sent_with_name_its_files(engine: Engine) -> None:
    engine.options.update({"samples_filename_pattern": "[styles]-[prompt_no_styles]", "save_to_dirs": False})
    sent = validate_drawing("txt2img", {"prompt": "a heart", "steps": 1, "width": 64, "height": 64})
    choice = sent.chosen(engine.parts.catalogue, engine.options.values)
    chosen = choice.model_copy(update={"styles": (Style("ink", "ink of {prompt}"),)}).model_dump(mode="json")
    job = engine.draw(**sent.model_dump(mode="json") | {"chosen": chosen, "save_images": True})
    assert tree(engine.folder.outputs) == ["txt2img-images/00000-ink-a heart.png"]
    assert engine.store.jobs.images(job.id)[0].infotext.startswith("ink of a heart\n")


def test_a_large_picture_has_a_smaller_copy_that_goes_with_it(engine: Engine) -> None:
    engine.options.update({"export_for_4chan": True, "img_downscale_threshold": 0.1, "target_side_length": 256})
    small, large = engine.draw(steps=1), engine.draw(steps=1, width=512, height=256)
    folder = engine.folder.root / Path(engine.store.jobs.images(large.id)[0].name).parent
    assert [path.name for path in sorted(folder.iterdir())] == ["00000-7.png", "00001-7.jpg", "00001-7.png"]
    with Image.open(folder / "00001-7.jpg") as copy:
        assert (copy.format, copy.size) == ("JPEG", (256, 128))
    infotext = engine.store.jobs.images(large.id)[0].infotext
    assert read_parameters((folder / "00001-7.jpg").read_bytes()).info == infotext
    for job in (small, large):
        assert engine.store.deletion.delete(job.id, files=True)[1].files_left == 0
    assert list(folder.iterdir()) == []


def test_what_is_not_saved_has_nothing_beside_it(engine: Engine) -> None:
    engine.options.update(CHOSEN | {"export_for_4chan": True, "img_downscale_threshold": 0.1})
    job = engine.draw(n_iter=2, steps=1, save_images=False)
    assert tree(engine.folder.outputs) == []
    assert tree(engine.folder.results) == [f"{job.id}/00000-7.webp", f"{job.id}/00001-8.webp"]
