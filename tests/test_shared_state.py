import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.shared_state import RequestKind, State

ROOT = Path(__file__).resolve().parent.parent

SEED_EXAMPLE = """
from modules import shared
shared.state.begin("txt2img")
shared.state.job_count = 4
for i in range(4):
    if shared.state.interrupted:
        break
    if shared.state.skipped:
        shared.state.skipped = False
        continue
    shared.state.nextjob()
shared.state.end()
shared.state.dict()
"""


def test_the_seeds_example_runs_in_a_plain_process(tmp_path: Path) -> None:
    script = (
        SEED_EXAMPLE + "import sys\nprint(shared.state.dict()['job_no'], 'torch' in sys.modules, 'PIL' in sys.modules)"
    )
    environment = {"STEADY_DATA_DIR": str(tmp_path), "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["4", "False", "False"]


def test_dict_has_a1111s_nine_keys_with_their_defaults() -> None:
    assert State().dict() == {
        "skipped": False, "interrupted": False, "stopping_generation": False, "job": "", "job_count": 0,
        "job_timestamp": "0", "job_no": 0, "sampling_step": 0, "sampling_steps": 0,
    }  # fmt: skip


def test_other_attributes_and_their_defaults() -> None:
    state = State()
    assert (state.current_latent, state.current_image, state.current_image_sampling_step) == (None, None, 0)
    assert (state.id_live_preview, state.textinfo, state.time_start, state.need_restart) == (0, None, None, False)
    assert state.server_command is None
    assert abs(state.server_start - time.time()) < 5


def test_begin_resets_everything_but_preview_ids() -> None:
    state = State()
    state.begin("a")
    state.job_count, state.job_no, state.sampling_step, state.sampling_steps = 4, 3, 7, 20
    state.textinfo, state.image_index = "merging", 2
    state.skip(), state.interrupt(), state.stop_generating()
    state.current_latent = "latent"
    state.assign_current_image(None, ("image/jpeg", b"x"))
    state.end()
    state.begin("b")
    assert state.dict() | {"job_timestamp": ""} == {
        "skipped": False, "interrupted": False, "stopping_generation": False, "job": "b", "job_count": -1,
        "job_timestamp": "", "job_no": 0, "sampling_step": 0, "sampling_steps": 0,
    }  # fmt: skip
    assert len(state.job_timestamp) == 14 and state.job_timestamp.isdecimal()
    left: list[object] = [state.textinfo, state.image_index, state.current_latent, state.preview]
    assert left == [None, 0, None, None]
    assert state.id_live_preview == 1


def test_end_keeps_what_watchers_still_show() -> None:
    state = State()
    token = state.begin("a")
    state.sampling_steps = state.sampling_step = 5
    state.interrupt()
    assert state.end(token)
    assert (state.job, state.job_count, state.running) == ("", 0, False)
    assert (state.sampling_step, state.interrupted, state.begun_job) == (5, True, "a")


def test_nextjob() -> None:
    state = State()
    state.begin("a")
    state.sampling_step, state.sampling_steps, state.current_image_sampling_step = 9, 10, 8
    state.nextjob()
    assert (state.job_no, state.sampling_step, state.sampling_steps, state.current_image_sampling_step) == (1, 0, 10, 0)


def test_end_without_begin_is_harmless() -> None:
    state = State()
    before = state.snapshot()
    assert not state.end()
    assert not state.end(1)
    assert state.snapshot() == before


@settings(deadline=None)
@given(st.lists(st.sampled_from(["begin", "end", "end stale", "end own", "step"]), max_size=30))
def test_a_stale_end_changes_nothing(steps: list[str]) -> None:
    state = State()
    tokens = [-1]
    for step in steps:
        before = state.snapshot()
        if step == "begin":
            tokens.append(state.begin(f"job {len(tokens)}"))
            assert tokens[-1] > tokens[-2]
        elif step == "end stale":
            for token in tokens[:-1]:
                assert not state.end(token)
            assert state.snapshot() == before
        elif step == "end own":
            assert state.end(tokens[-1]) == before["running"]
        elif step == "end":
            assert state.end() == before["running"]
        else:
            state.sampling_step += 1


@pytest.mark.parametrize(
    ("method", "flag"), [("skip", "skipped"), ("interrupt", "interrupted"), ("stop_generating", "stopping_generation")]
)
def test_requests_act_on_what_runs_or_on_the_named_job_alone(method: str, flag: str) -> None:
    state = State()
    assert not getattr(state, method)()
    assert not getattr(state, flag)
    state.begin("a")
    assert not getattr(state, method)("b")
    assert not getattr(state, flag)
    assert getattr(state, method)("a")
    assert getattr(state, flag)
    state.begin("b")
    assert not getattr(state, flag)
    assert getattr(state, method)()
    assert getattr(state, flag)


def test_a_job_that_renames_itself_is_still_found_by_its_id() -> None:
    state = State()
    state.begin("task(1)")
    state.job = "Batch 2 out of 4"
    assert state.interrupt("task(1)")


def test_a_skip_that_comes_after_its_image_is_dropped() -> None:
    state = State()
    state.begin("a")
    state.image_index = 3
    assert not state.apply_request("skip", "a", 2)
    assert not state.skipped
    assert state.apply_request("skip", "a", 3)
    assert state.skipped
    state.skipped = False
    assert state.apply_request("skip", "a", None)
    assert state.apply_request("interrupt", "a", 0)


def test_requests_go_through_the_port() -> None:
    asked = []

    class Rows:
        def request(self, kind: RequestKind, job: str | None) -> bool:
            asked.append((kind, job))
            return job is None

    state = State()
    state.stops = Rows()
    state.begin("a")
    assert state.skip() and state.interrupt() and state.stop_generating() and not state.interrupt("b")
    assert asked == [("skip", None), ("interrupt", None), ("stop", None), ("interrupt", "b")]
    assert not (state.skipped or state.interrupted or state.stopping_generation)


@settings(max_examples=150, deadline=None)
@given(st.permutations(["begin a", "end a", "begin b", "end b", "interrupt a", "interrupt b", "skip a"]))
def test_a_request_never_hits_the_wrong_job_in_any_order(order: list[str]) -> None:
    state = State()
    tokens: dict[str, int] = {}
    for step in order:
        verb, _, job = step.partition(" ")
        runs = state.begun_job if state.running else None
        if verb == "begin":
            tokens[job] = state.begin(job)
            assert not state.interrupted and not state.skipped
        elif verb == "end":
            if job in tokens:
                assert state.end(tokens[job]) == (runs == job)
        else:
            before = (state.interrupted, state.skipped)
            accepted = state.interrupt(job) if verb == "interrupt" else state.skip(job)
            assert accepted == (runs == job)
            if not accepted:
                assert (state.interrupted, state.skipped) == before


def test_requests_that_race_with_begin_and_end_never_hit_the_wrong_job() -> None:
    """Only "a" is ever interrupted, from four threads, while "a" and "b" take turns: "b" must never see it."""
    state = State()
    done = threading.Event()

    def click() -> None:
        while not done.is_set():
            state.interrupt("a")
            state.apply_request("skip", "a", 0)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    wrong, right = 0, 0
    ends_at = time.monotonic() + 20
    try:
        for turn in range(4000):
            for job in ("a", "b"):
                token = state.begin(job)
                if turn % 40 == 0 and job == "a":
                    time.sleep(0.001)
                hit = state.interrupted or state.skipped
                state.end(token)
                wrong += hit and job == "b"
                right += hit and job == "a"
            if time.monotonic() > ends_at or (right > 20 and turn > 500):
                break
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == 0
    assert right > 0


def test_the_observer_hears_changes_in_order_and_no_echo() -> None:
    heard: list[Mapping[str, object]] = []
    state = State()
    state.observer = heard.append
    state.sampling_step = 1
    state.sampling_step = 1
    state.apply({"sampling_step": 5, "unknown": 1})
    state.sampling_step = 6
    assert heard == [{"sampling_step": 1}, {"sampling_step": 6}]
    assert "unknown" not in state.snapshot()


def test_changes_from_many_threads_reach_the_observer_in_the_order_of_the_changes() -> None:
    copy = State()
    state = State()
    state.observer = copy.apply
    threads = [
        threading.Thread(target=lambda base=base: [setattr(state, "sampling_step", base + i) for i in range(500)])
        for base in (0, 1000, 2000, 3000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert copy.snapshot() == state.snapshot()
