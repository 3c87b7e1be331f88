"""Files that say what a model reads for words: which were in force stands in pictures and rows, and no other file."""

import json
from pathlib import Path
from typing import Any

from modules.images.picture_info import read_parameters
from modules.jobs.rows import Job
from modules.prompts.symbols import read_symbols
from tests.engine.conftest import Engine
from tests.engine.moments import at_step
from tests.engine.work.grids import draw_plot

CHOSEN: dict[str, Any] = {"override_settings": {"sd_model_checkpoint": "changing"}}
COFFEE = CHOSEN | {"prompt": "coffee", "steps": 4}
CHANGED = "what changing reads for words of the prompt is not what it was (words.json and symbols.json in its folder)"


def says(model: Path, **names: str) -> str:
    """Let a model read these names for words; return their digest."""
    (model / "words.json").write_text(json.dumps(names))
    return read_symbols(model).digest


def spelling(data: bytes) -> object:
    """Return what a picture's file tells of it."""
    return json.loads(read_parameters(data).items["steady"]).get("spelling")


def notes(job: Job) -> list[str]:
    return [note.text for note in job.notes]


def pause_at_step_2(engine: Engine, image: int = 0, **request: Any) -> Job:
    at_step(engine, 2, lambda: engine.store.control.ask("pause") and engine.housekeeping.look(), image)
    paused = engine.draw(**request)
    assert paused.status == "paused"
    return paused


def resume(engine: Engine, job: Job) -> Job:
    assert engine.store.control.resume(job.id).accepted
    return engine.run_next()


def test_a_file_tells_of_the_names_where_a_word_was_read_as_one(engine: Engine, changing: Path) -> None:
    plain = engine.files(engine.draw(**CHOSEN, prompt="a heart"))
    digest = says(changing, coffee="hot beverage")
    assert engine.files(engine.draw(**CHOSEN, prompt="a heart")) == plain  # no word of it: no other bytes
    pictures = engine.files(engine.draw(**CHOSEN, prompt="{coffee|a heart}", n_iter=4, seed=3))
    typed = [read_parameters(data).parameters["prompt"] for data in pictures]
    assert set(typed) == {"coffee", "a heart"}
    assert [spelling(data) for data in pictures] == [
        {"changing": digest} if prompt == "coffee" else None for prompt in typed
    ]
    (negative,) = engine.files(engine.draw(**CHOSEN, prompt="a heart", negative_prompt="[tea:(coffee:1.2):0.5]"))
    assert spelling(negative) == {"changing": digest}


def test_steps_with_other_names_are_not_gone_on_from(engine: Engine, changing: Path) -> None:
    says(changing, coffee="hot beverage")
    paused = pause_at_step_2(engine, **COFFEE)
    digest = says(changing, coffee="teacup")
    anew = engine.files(engine.draw(**COFFEE))
    done = resume(engine, paused)
    assert f"Cannot be continued exactly: {CHANGED}; it began again." in notes(done)
    assert engine.files(done) == anew
    assert spelling(anew[0]) == {"changing": digest}


def test_names_that_are_gone_are_others_too(engine: Engine, changing: Path) -> None:
    says(changing, coffee="hot beverage")
    paused = pause_at_step_2(engine, **COFFEE)
    (changing / "words.json").unlink()
    done = resume(engine, paused)
    assert f"Cannot be continued exactly: {CHANGED}; it began again." in notes(done)
    assert spelling(engine.files(done)[0]) is None


def test_names_that_no_prompt_has_are_no_matter_to_a_job(engine: Engine, changing: Path) -> None:
    says(changing, coffee="hot beverage")
    paused = pause_at_step_2(engine, **COFFEE | {"prompt": "a heart"})
    says(changing, coffee="teacup")
    assert notes(resume(engine, paused)) == ["Continued at step 2 of 4."]


def test_a_job_whose_names_stay_goes_on_with_them(engine: Engine, changing: Path) -> None:
    says(changing, coffee="hot beverage")
    undisturbed = engine.files(engine.draw(**COFFEE, n_iter=2))
    done = resume(engine, pause_at_step_2(engine, image=1, **COFFEE, n_iter=2))
    assert notes(done) == ["Continued at step 2 of 4 of image 2."]
    assert engine.files(done) == undisturbed


def test_cells_that_are_drawn_later_by_other_names_are_told_of(engine: Engine, changing: Path) -> None:
    digest = says(changing, coffee="hot beverage")
    at_step(engine, 1, engine.state.skip, image=1)
    grid = draw_plot(engine, CHOSEN | {"prompt": "a heart"}, x_type="Prompt S/R", x_values="heart, coffee, tea, coffee")
    first, tea, coffee = engine.files(grid)
    assert [spelling(data) for data in (first, tea, coffee)] == [None, None, {"changing": digest}]
    says(changing, coffee="teacup")
    assert engine.store.queue.redraw(grid.id, [1]).accepted
    assert f"Its images are not drawn under the same conditions, so not to the same bits: {CHANGED}." in notes(
        engine.run_next()
    )
