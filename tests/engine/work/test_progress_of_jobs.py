"""Progress and previews of real jobs, in an engine in this process."""

import json
from typing import Any

from tests.engine.conftest import Engine
from tests.engine.moments import at_step


def told(engine: Engine) -> list[dict[str, Any]]:
    """Return what was told of jobs so far, without the ends."""
    return [value for value in engine.values("progress") if value is not None]


def test_a_job_ends_at_exactly_one_and_then_nothing_runs(engine: Engine) -> None:
    job = engine.draw(n_iter=2, width=64, height=64)
    assert (job.status, job.progress) == ("done", 1.0)
    values = [value["progress"] for value in told(engine)]
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert engine.values("progress")[-1] is None
    assert {"load", "encode", "sample", "decode", "save"} == {value["phase"] for value in told(engine)}


def test_what_a_job_took_is_known_to_the_next_one_and_kept(engine: Engine) -> None:
    engine.draw(width=64, height=64)
    assert told(engine)[0]["eta_seconds"] is None
    engine.housekeeping.look()
    stored = json.loads(engine.folder.timings_of("1").read_text())
    (known,) = stored["models"].values()
    assert {"load", "encode", "first_after_load", "step", "decode", "save"} <= set(known["phases"])
    del engine.published[:]
    engine.draw(width=64, height=64, seed=8)
    planned = next(value for value in told(engine) if value["segments"])
    assert planned["eta_seconds"] > 0
    assert planned["progress"] == 0.0


def test_the_row_of_a_stopped_job_says_how_far_it_came(engine: Engine) -> None:
    job_id = engine.submit(n_iter=4, width=64, height=64)
    at_step(engine, 2, lambda: engine.state.interrupt(job_id), image=2)
    job = engine.run_next()
    assert job.status == "interrupted"
    assert 0.3 < job.progress < 1.0
    assert job.progress >= told(engine)[-1]["progress"] - 0.001


def test_a_job_that_goes_on_does_not_fall_back(engine: Engine) -> None:
    job_id = engine.submit(n_iter=3, width=64, height=64)
    at_step(engine, 2, lambda: engine.state.apply_request("pause", job_id), image=1)
    paused = engine.run_next()
    assert paused.status == "paused"
    assert 0.2 < paused.progress < 0.9
    engine.store.control.resume(job_id)
    del engine.published[:]
    done = engine.run_next()
    assert done.status == "done"
    values = [value["progress"] for value in told(engine)]
    assert values == sorted(values)
    assert values[0] >= paused.progress - 0.001
    assert values[-1] == 1.0


def test_every_message_says_how_previews_are_made(engine: Engine) -> None:
    engine.options.update({"live_preview_share_percent": 0, "show_progress_type": "TAESD"})
    engine.draw(n_iter=2, width=64, height=64)
    reason = "There is no small decoder for this model."
    assert {"method": "linear", "reason": reason} in [value["preview"] for value in told(engine)]
    del engine.published[:]
    engine.options.update({"live_previews_enable": False})
    engine.draw(width=64, height=64, seed=8)
    assert told(engine)[-1]["preview"] == {"method": "off", "reason": None}
