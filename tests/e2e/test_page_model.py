"""What the page concludes from the stream: `model.js` and `words.js`, run in the browser with made-up messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from modules.jobs.kinds.extras_values import ResolvedExtras
from modules.jobs.kinds.sizes import resized, scaled
from tests.e2e.editor_page import EditorServer
from tests.e2e.profiles import emptied

Run = Callable[..., Any]
RUN = """async ([messages, expression, late]) => {
  const model = await import("/steady/assets/model/model.js");
  const words = await import("/steady/assets/model/words.js");
  const format = await import("/steady/assets/model/format.js");
  const again = await import("/steady/assets/model/again.js");
  const whenDone = await import("/steady/assets/settings/when_done.js");
  const { hiresSize } = await import("/steady/assets/model/hires.js");
  const { scaled, suitable } = await import("/steady/assets/starting/resizing.js");
  const { upscaledSize } = await import("/steady/assets/model/upscaling.js");
  let state = model.initial("me");
  for (const message of messages) state = model.reduce(state, message);
  const known = { state, model, words, format, whenDone, again, late, hiresSize, upscaledSize, scaled, suitable };
  return new Function(...Object.keys(known), `return ${expression}`)(...Object.values(known));
}"""
SAVING = {
    "save_images": True, "save_partial": True, "mark_partial": True, "add_model_name_to_info": True,
    "add_model_hash_to_info": True, "add_version_to_infotext": True,
}  # fmt: skip
SNAPSHOT: dict[str, Any] = {
    "type": "snapshot", "events": 1, "instance": "i", "page": "p", "job": None, "running": None, "queue": [],
    "queued": 0, "progress": None, "preview": None, "engine": {"status": "idle", "checkpoint": "emoji"},
    "supervisor": {"engine": {"status": "up"}}, "notices": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def run(profile: BrowserContext, editor_server: EditorServer) -> Iterator[Run]:
    with emptied(profile) as context:
        page = context.new_page()
        page.goto(editor_server.url)  # these scripts need no page of Gradio's around them

        def evaluate(expression: str, *messages: dict[str, Any], late: dict[str, Any] | None = None) -> Any:
            return page.evaluate(RUN, [json.loads(json.dumps(messages)), expression, late])

        yield evaluate


def job(identity: str, status: str, owner: str = "me", **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
            "id": identity, "status": status, "owner": owner, "outputs": [], "requested": None, "position": None,
            "request": {"prompt": "red heart", "n_iter": 4}, "resolved": None, "error": None, "started_at": 1.0,
            "finished_at": 3.0}  # fmt: skip
    return {**base, **more}


def event(job: dict[str, Any], kind: str = "job", **more: Any) -> dict[str, Any]:
    return {
        "type": "event",
        "number": 2,
        "kind": kind,
        "job_id": job["id"],
        "job": job,
        "queued": 0,
        "queue": [],
        **more,
    }


def progress(identity: str, image: int, step: int, share: float, **more: Any) -> dict[str, Any]:
    value = {"job": identity, "phase": "sample", "image": image, "images": 4, "step": step, "steps": 20,
             "progress": share, "eta_seconds": 3.2, "segments": [], **more}  # fmt: skip
    return {"type": "progress", "progress": value}


def test_the_own_running_job_is_shown_before_the_own_waiting_one(run: Run) -> None:
    running, waiting = job("a", "running"), job("b", "queued")
    messages = [{**SNAPSHOT, "job": waiting, "running": running, "queue": ["b"], "queued": 1}]
    assert run("state.shown", *messages) == "a"
    messages.append(event({**running, "status": "done"}, queue=["b"], queued=1))
    assert run("state.shown", *messages) == "b"
    messages.append(event({**waiting, "status": "interrupted"}))
    assert run("state.shown", *messages) == "b"


def test_a_stranger_job_is_shown_only_while_no_own_one_waits(run: Run) -> None:
    messages = [{**SNAPSHOT, "job": job("x", "running", owner="other"), "running": job("x", "running", owner="other")}]
    assert run("state.shown", *messages) == "x"
    messages.append(event(job("a", "queued"), queue=["a"], queued=1))
    assert run("state.shown", *messages) == "a"
    assert run("words.phaseLine(state).phase", *messages) == "Queued, next"


def test_the_words_for_each_moment(run: Run) -> None:
    messages = [{**SNAPSHOT, "job": job("a", "running"), "running": job("a", "running")}]
    messages.append(progress("a", 1, 13, 0.419))
    line = {"phase": "Drawing image 2 of 4", "details": ["step 13 of 20", "41 %", "about 3 s left"]}
    assert run("words.phaseLine(state)", *messages) == line
    second = [progress("a", 1, 3, 0.6, phase=phase, **{"pass": 1}) for phase in ("prepare", "upscale", "sample")]
    assert [run("words.phaseLine(state).phase", *messages, one) for one in second] == [
        "Reading the picture for image 2 of 4", "Enlarging image 2 of 4", "Drawing image 2 of 4, second pass",
    ]  # fmt: skip
    loading = progress("a", 0, 0, 0.0, phase="load", eta_seconds=None)
    assert run("words.phaseLine(state).phase", *messages, loading) == "Loading emoji …"
    queued = {**SNAPSHOT, "job": job("a", "queued"), "queue": ["x", "a", "y"], "queued": 3}
    assert run("words.phaseLine(state).phase", queued) == "Queued, 2nd of 3"
    ended = job("a", "interrupted", outputs=[{"index": 0}, {"index": 1}])
    assert run("words.phaseLine(state)", {**SNAPSHOT, "job": ended}) == {
        "phase": "Interrupted after 2 of 4", "details": ["2.0 s"]
    }  # fmt: skip
    words = ("words.phaseLine(state)", "words.phaseLine(state, false)")
    starting = {**SNAPSHOT, "engine": {"status": "starting"}}
    assert [run(one, starting)["details"] for one in words] == [["you can write already"], []]
    given_up = {"type": "supervisor", "supervisor": {"engine": {"status": "given_up"}}}
    assert run("words.phaseLine(state).phase", queued, given_up) == "Waiting for the engine"
    assert run("[1, 2, 3, 4, 11, 12, 21, 112].map(format.ordinal)") == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "112th"
    ]  # fmt: skip


def test_what_is_done_never_falls_within_a_job(run: Run) -> None:
    running = job("a", "running", progress=0.46)
    messages = [{**SNAPSHOT, "job": running, "running": running}, progress("a", 3, 20, 0.99)]
    messages.append({"type": "progress", "progress": None})
    assert run("state.share", *messages) == {"job": "a", "value": 0.99}
    assert run("state.share.value", *messages, event({**running, "status": "done"})) == 1
    again = event({**running, "status": "queued", "progress": 0.0})
    assert run("state.share.value", *messages, event({**running, "status": "done"}), again) == 0
    following = event(job("b", "running", progress=0.0))
    done = event({**running, "status": "done"})
    assert run("state.share", *messages, done, following) == {"job": "b", "value": 0}


def test_a_click_is_answered_until_the_server_says_it_itself(run: Run) -> None:
    running = job("a", "running")
    click = {"type": "pressed", "pressed": {"job": "a", "kind": "interrupt", "image": 0, "again": False}}
    messages = [{**SNAPSHOT, "job": running, "running": running}, progress("a", 0, 3, 0.1), click]
    assert run("words.phaseLine(state).phase", *messages) == "Stopping …"
    heard = event({**running, "requested": "interrupt"}, "request")
    assert run("[state.pressed, words.phaseLine(state).phase]", *messages, heard) == [None, "Stopping …"]
    stop_first = event({**running, "requested": "stop"}, "request")
    assert run("[state.pressed, words.stopsAfter(state, model.shownJob(state))]", *messages, stop_first) == [None, True]
    ended = event({**running, "status": "interrupted"})
    assert run("state.pressed", *messages, ended) is None


def test_a_skip_is_answered_until_the_next_image(run: Run) -> None:
    running = job("a", "running")
    click = {"type": "pressed", "pressed": {"job": "a", "kind": "skip", "image": 0, "again": False}}
    messages = [{**SNAPSHOT, "job": running, "running": running}, progress("a", 0, 3, 0.1), click]
    assert run("words.phaseLine(state).phase", *messages) == "Skipping …"
    assert run("words.phaseLine(state).phase", *messages, progress("a", 1, 1, 0.3)) == "Drawing image 2 of 4"


def test_a_paused_job_shows_the_preview_that_was_kept_of_it(run: Run) -> None:
    paused = job("a", "paused", image_index=1, preview="/kept")
    message = {**SNAPSHOT, "job": paused}
    assert run("[model.shownPreview(state).data, words.noteWords(state, model.shownPreview(state))]", message) == [
        "/kept", "Last preview · image 2 of 4",
    ]  # fmt: skip
    assert run("model.shownPreview(state)", {**SNAPSHOT, "job": {**paused, "preview": None}}) is None


def test_a_preview_of_another_job_or_of_a_finished_image_is_not_shown(run: Run) -> None:
    running = job("a", "running", outputs=[{"index": 0, "url": "/0.png"}])
    messages = [{**SNAPSHOT, "job": running, "running": running}]

    def preview(identity: str, image: int) -> dict[str, Any]:
        return {"type": "preview", "preview": {"id": 1, "job": identity, "image": image, "step": 2, "data": "data:,"}}

    assert run("model.shownPreview(state)", *messages, preview("b", 1)) is None
    assert run("model.shownPreview(state)", *messages, preview("a", 0)) is None
    assert run("model.shownPreview(state).step", *messages, preview("a", 1)) == 2


def test_a_pause_is_answered_and_a_paused_job_gives_way_to_what_is_drawn(run: Run) -> None:
    running = job("a", "running", progress=0.4)
    messages = [{**SNAPSHOT, "job": running, "running": running}, progress("a", 0, 3, 0.4)]
    click = {"type": "pressed", "pressed": {"job": "a", "kind": "pause", "image": 0, "again": False}}
    assert run("words.phaseLine(state).phase", *messages, click) == "Pausing …"
    paused = event({**running, "status": "paused", "progress": 0.421})
    line = {"phase": "Paused", "details": ["42 % done", "it goes on from there"]}
    assert run("[words.phaseLine(state), state.pressed]", *messages, click, paused) == [line, None]
    stranger = event(job("x", "running", owner="other"))
    assert run("state.shown", *messages, paused, stranger) == "a"
    following = [event(job("b", "queued"), queue=["b"]), event(job("b", "running")), event(job("b", "done"))]
    assert run("state.shown", *messages, paused, *following[:2]) == "b"
    assert run("state.shown", *messages, paused, *following) == "b"
    assert run("state.paused", *messages, event(running, queue_paused=True), event(running)) is True


def test_the_paused_jobs_that_are_not_on_the_stage_are_counted(run: Run) -> None:
    paused, other = job("a", "paused", progress=0.4), job("b", "done")
    count = {"type": "own-paused", "count": 2}
    assert run("words.otherPausedWords(state)", {**SNAPSHOT, "job": paused}, count) == "1 more paused job"
    assert run("words.otherPausedWords(state)", {**SNAPSHOT, "job": other}, count) == "2 paused jobs"
    assert run("words.otherPausedWords(state)", {**SNAPSHOT, "job": paused}, {**count, "count": 1}) == ""


def test_a_job_that_waits_for_the_engine_after_its_death_goes_on_and_does_not_begin(run: Run) -> None:
    snapshot = {**SNAPSHOT, "engine": {"status": "starting"}, "queue": ["a"], "queued": 1}
    line = {"phase": "The engine starts again", "details": ["the job goes on after that"]}
    assert run("words.phaseLine(state)", {**snapshot, "job": job("a", "queued")}) == line
    fresh = job("a", "queued", started_at=None)
    assert run("words.phaseLine(state).phase", {**snapshot, "job": fresh}) == "Queued"
    restarting = {**snapshot, "supervisor": {"engine": {"status": "restarting"}}, "job": job("a", "paused")}
    assert run("words.phaseLine(state).phase", restarting) == "Paused"


def test_an_image_event_carries_the_picture_alone_and_may_come_twice(run: Run) -> None:
    running = job("a", "running", outputs=[{"index": 1, "url": "/1.png"}], progress=0.2)
    messages = [{**SNAPSHOT, "job": running, "running": running}]
    picture = {"type": "event", "number": 3, "kind": "image", "job_id": "a", "output": {"index": 0, "url": "/0.png"},
               "progress": 0.5, "outputs": 2, "image_index": 0}  # fmt: skip
    shown = "[state.jobs.a.outputs.map((one) => one.url), state.share.value]"
    assert run(shown, *messages, picture, picture) == [["/0.png", "/1.png"], 0.5]
    assert run("Boolean(state.jobs.b)", *messages, {**picture, "job_id": "b"}) is False
    reset = [{"type": "reset", "asked": 3, "first": None, "events": 9}, {**SNAPSHOT, "job": job("c", "done")}]
    assert run("[Object.keys(state.jobs), state.shown]", *messages, *reset) == [["c"], "c"]


def test_a_stall_says_how_long_and_a_third_interrupt_what_it_does(run: Run) -> None:
    running = job("a", "running", stop_requests=2, requested="interrupt")
    beat = {"job": "a", "phase": "sample", "at": 5.0, "expected_seconds": 0.6, "stalled": True, "silent_seconds": 40}
    messages = [{**SNAPSHOT, "job": running, "running": running}, progress("a", 0, 3, 0.1)]
    messages += [{"type": "heartbeat", "heartbeat": beat, "now": 100_000}]
    words = "words.stallWords(model.stalledBeat(state), 102_000)"
    assert run(words, *messages) == "no sign of life for 42 s, usually 0.6 s"
    later = {"type": "heartbeat", "heartbeat": {**beat, "silent_seconds": 43}, "now": 103_000}
    assert run(words.replace("102", "105"), *messages, later) == "no sign of life for 45 s, usually 0.6 s"
    assert "a third time ends the engine" in run("words.phaseLine(state).details.join()", *messages)
    again = [{"type": "progress", "progress": None}, {"type": "engine", "engine": {"status": "starting"}}]
    line = {"phase": "Stopping …", "details": ["the engine starts again"]}
    assert run("words.phaseLine(state)", *messages, *again) == line
    gone = {"type": "heartbeat", "heartbeat": {**beat, "at": 9.0, "stalled": False}, "now": 104_000}
    assert run("model.stalledBeat(state)", *messages, gone) is None


def test_a_message_of_a_newer_server_changes_nothing(run: Run) -> None:
    assert run("state.shown", SNAPSHOT, {"type": "weather", "weather": "fine"}) is None


def test_a_picture_of_mine_stays_whoever_draws(run: Run) -> None:
    mine, strange = job("a", "done"), job("x", "running", owner="other")
    messages = [{**SNAPSHOT, "job": mine, "running": strange}]
    assert run("[state.shown, model.drawnElsewhere(state).id]", *messages) == ["a", "x"]
    asked = {"type": "show", "job": strange}
    assert run("[state.shown, model.ownInstead(state).id]", *messages, asked) == ["x", "a"]
    over = event({**strange, "status": "done"})
    assert run("[state.shown, model.ownInstead(state).id]", *messages, asked, over) == ["x", "a"]
    assert run("[state.shown, model.ownInstead(state)]", *messages, asked, over, {"type": "show-own"}) == ["a", None]
    earlier = {"type": "earlier", "jobs": [job("o", "done", finished_at=2.5)]}
    assert run("state.shown", *messages, earlier) == "a"
    assert run("state.shown", *messages, earlier, {"type": "event", "kind": "removed", "job_id": "a"}) == "o"


def test_when_the_turn_of_another_job_comes(run: Run) -> None:
    running = job("a", "running", request={"prompt": "", "n_iter": 2, "steps": 10, "width": 64, "height": 64})
    start = {**SNAPSHOT, "job": running, "running": running}
    messages = [start, progress("a", 0, 5, 0.5, eta_seconds=12.4)]
    words = "words.addWords(state)"
    assert run(words, start) == "next"
    assert run(words, *messages) == "in about 12 s"
    # 24.8 s for the whole of it: 1.24 s a step. Of the stranger's two one comes before mine.
    small = {"prompt": "", "steps": 10, "width": 64, "height": 64}
    mine = event(job("b", "queued", request=small), queue=["b"], queued=1)
    strange = [job(name, "queued", owner="other", request=small) for name in ("x", "y", "z")]
    assert run(words, *messages, mine) == "in about 25 s"
    messages += [mine, *(event(one, queue=["x", "b", "y", "z"], queued=4) for one in strange)]
    assert run(words, *messages) == "in about 50 s"
    assert run(words, *messages, {**mine, "queue": ["u", "b"], "queued": 2}) == "after 2 others"
    assert run(words, *messages, {**mine, "queue_paused": True}) == "queue paused"


def test_a_chain_is_one_thing_and_knows_whether_it_drew(run: Run) -> None:
    picture = {"index": 0, "url": "/a/0.png", "partial": False}
    first = job("a", "done", outputs=[picture], request={"prompt": ""}, finished_at=2.0)
    second = job("b", "interrupted", follows="a", request={"prompt": ""}, finished_at=5.0)
    messages = [{**SNAPSHOT, "job": second}]
    assert run("words.phaseLine(state).phase", *messages) == "Interrupted"
    messages.append({"type": "earlier", "jobs": [first]})
    assert run("words.phaseLine(state)", *messages) == {"phase": "Interrupted after 1 picture", "details": ["5.0 s"]}
    alone = {**SNAPSHOT, "job": {**second, "follows": None}}
    assert run("words.phaseLine(state).phase", alone) == "Interrupted after 0 of 1"


def test_what_is_said_while_the_server_is_gone_is_true(run: Run) -> None:
    running = job("a", "running", progress=0.41)
    restarting = {"type": "supervisor", "supervisor": {"engine": {"status": "restarting"}}}
    gone = {"type": "standing", "standing": "lost"}
    line = {"phase": "The server does not answer", "details": ["41 % when last heard of", "the job is kept"]}
    messages = [{**SNAPSHOT, "job": running, "running": running}, restarting]
    assert run("words.phaseLine(state).phase", *messages) == "The engine starts again"
    assert run("words.phaseLine(state)", *messages, gone) == line
    assert run("words.phaseLine(state).phase", SNAPSHOT, gone) == "The server does not answer"
    assert run("words.phaseLine(state).phase", {**SNAPSHOT, "job": job("a", "failed")}, gone) == "Failed"


def test_what_has_ended_is_told_once_and_only_when_nothing_of_mine_follows(run: Run) -> None:
    def told(*messages: dict[str, Any]) -> Any:
        before, last = messages[:-1], messages[-1]
        return run("whenDone.justEnded(state, model.reduce(state, late))?.id ?? null", *before, late=last)

    start = {**SNAPSHOT, "job": job("a", "running"), "running": job("a", "running")}
    assert told(start, event(job("a", "done"))) == "a"
    assert told(start, event(job("a", "failed"))) == "a"
    assert told(start, event(job("a", "interrupted"))) is None
    assert told(start, event(job("a", "done", forever=True))) is None
    assert told(start, event(job("b", "queued"), queue=["b"], queued=1), event(job("a", "done"))) is None
    assert told(start, event(job("a", "done")), event(job("a", "done"))) is None
    assert (
        told({**SNAPSHOT, "running": job("x", "running", owner="other")}, event(job("x", "done", owner="other")))
        is None
    )


def test_a_job_that_had_no_snapshot_is_begun_anew_in_words_too(run: Run) -> None:
    notes = [{"at": 1.0, "kind": "restarted", "text": "There was no snapshot of it yet: it begins anew."}]
    running = job("a", "running", notes=notes)
    words = "words.phaseLine(state).details.includes('begun anew')"
    messages = [{**SNAPSHOT, "job": running, "running": running}, progress("a", 0, 3, 0.1)]
    assert run(words, *messages) is True
    later = {**running, "notes": [*notes, {"at": 2.0, "kind": "continued", "text": "It went on at step 9."}]}
    assert run(words, *messages, event(later)) is False
    assert run(words, *messages, event({**running, "outputs": [{"index": 0, "url": "/0.png"}]})) is False


def test_what_hires_fix_leads_to_is_what_the_server_makes_of_it(run: Run) -> None:
    firsts = [(320, 512), (512, 768), (1000, 72), (64, 64)]
    asked = [(scale, 0, 0) for scale in (1, 1.1, 1.15, 1.5, 1.85, 2, 4)]
    asked += [(2, 640, 0), (2, 0, 1000), (1.3, 640, 360)]
    for width, height in firsts:
        for scale, x, y in asked:
            fields = {"width": width, "height": height, "hr_scale": scale, "hr_resize_x": x, "hr_resize_y": y}
            size = resized((width, height), x, y) if x or y else scaled((width, height), scale)
            assert tuple(run(f"Object.values(hiresSize({json.dumps(fields)}))")) == size, fields
    assert run("hiresSize({width: null, height: 512, hr_scale: 2})") is None


@pytest.mark.parametrize(
    ("by", "to", "crop"), [(2, None, True), (1.15, None, True), (None, (300, 200), True), (None, (300, 200), False)]
)
def test_what_extras_lead_to_is_what_the_server_makes_of_it(
    run: Run, by: float | None, to: tuple[int, int] | None, crop: bool
) -> None:
    width, height = to or (512, 512)
    fields = {"upscaler_1": "Lanczos", "resize_mode": "Scale to" if to else "Scale by", "upscaling_resize": by,
              "upscaling_resize_w": width, "upscaling_resize_h": height, "upscaling_crop": crop}  # fmt: skip
    for size in ((320, 257), (64, 640), (1000, 1000)):
        shown = run(
            f"upscaledSize({json.dumps(dict(zip(('width', 'height'), size, strict=True)))}, {json.dumps(fields)})"
        )
        made = ResolvedExtras.model_validate({
            "kind": "extras", "version": "1", "saving": SAVING, "upscale_by": by, "width": width, "height": height,
            "pictures": [{"name": "a.png", "width": size[0], "height": size[1]}], "crop": crop,
            "enlarging": [{"upscaler": "Lanczos"}],
        })  # fmt: skip
        assert (shown["width"], shown["height"]) == made.size_of(0)


def test_another_job_of_a_picture_keeps_the_words_that_its_seed_chose(run: Run) -> None:
    known = {"template": "a {red|blue} cat", "prompt": "a red cat", "checkpoint": "emoji"}
    chosen = job("a", "done", request={"prompt": "a {red|blue} cat", "combinatorial": True}, resolved=known)
    output = {"index": 1, "infotext": "a blue\ncat\nNegative prompt: dog,\nfish\nSteps: 5, Seed: 2", "url": "/x"}
    own = {"prompt": "a blue\ncat", "negative_prompt": "dog,\nfish", "styles": [], "combinatorial": False}
    told = run("again.variationsOf(late.job, late.output).request", late={"job": chosen, "output": output})
    assert {name: told[name] for name in own} == own
    told = run("again.secondPassOf(late.job, late.output, {}, '2').request", late={"job": chosen, "output": output})
    assert (told["prompt"], told["negative_prompt"]) == ("a blue\ncat", "dog,\nfish")
    plain = job("a", "done", request={"prompt": "a cat", "styles": ["ink"]}, resolved={"prompt": "ink of a cat"})
    told = run("again.variationsOf(late.job, late.output).request", late={"job": plain, "output": output})
    assert (told["prompt"], told["styles"]) == ("a cat", ["ink"])


def test_a_picture_is_drawn_at_a_size_that_suits_it_and_the_model(run: Run) -> None:
    told = run(
        """[...[[512, 512], [4000, 3000], [40, 20]].map(([width, height]) =>
          suitable({width, height}, {width: 512, height: 512})),
          scaled({width: 100, height: 333}, 0.5), scaled({width: 1500, height: 100}, 4)]
          .map(({width, height}) => [width, height])"""
    )
    assert told == [[512, 512], [840, 624], [728, 360], [64, 168], [2048, 400]]
