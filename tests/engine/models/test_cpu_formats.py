"""Which number format a processor draws in: the faster, measured once, kept, and done without where it cannot be."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from modules.engine.models import devices
from modules.engine.models.cpu_formats import CpuFormats, processor_name
from modules.engine.models.devices import DenoiserKind, cpu_has_fast_bfloat16
from modules.engine.models.format_measuring import best_times, measure_formats
from modules.errors import Interrupted
from tests.engine.own_engine import Engine

KINDS: tuple[DenoiserKind, ...] = ("unet", "transformer")


class Measured:
    """A measurement that takes no time: bfloat16 takes so much of float32's. `asked` is what it was asked for."""

    def __init__(self, part: float = 0.5, error: BaseException | None = None) -> None:
        self.part = part
        self.error = error
        self.asked: list[tuple[str, int]] = []

    def __call__(self, kind: DenoiserKind, threads: int, check: Callable[[], None]) -> dict[str, float]:
        self.asked.append((kind, threads))
        check()
        if self.error is not None:
            raise self.error
        return {"float32": 0.1, "bfloat16": 0.1 * self.part}


def go_on() -> None:
    """Nothing is to stop."""


def stop() -> None:
    raise Interrupted("interrupt")


def formats(folder: Path, measured: Measured, processor: str = "a processor") -> CpuFormats:
    return CpuFormats(folder / "data" / "cpu-formats.json", measured, processor)


def path_of(folder: Path) -> Path:
    return folder / "data" / "cpu-formats.json"


@pytest.mark.parametrize(
    ("part", "chosen"), [(0.45, "bfloat16"), (0.90, "bfloat16"), (0.92, "float32"), (1.0, "float32"), (30, "float32")]
)
def test_bfloat16_has_to_be_faster_by_a_tenth(tmp_path: Path, part: float, chosen: str) -> None:
    assert formats(tmp_path, Measured(part)).fastest("unet", 2, go_on) == chosen


def test_a_choice_is_measured_once_and_stands_also_for_the_next_engine(tmp_path: Path) -> None:
    first = Measured(0.5)
    known = formats(tmp_path, first)
    assert [known.fastest("unet", 2, go_on) for _ in range(3)] == ["bfloat16"] * 3
    assert first.asked == [("unet", 2)]
    slow_now = Measured(3.0)
    assert formats(tmp_path, slow_now).fastest("unet", 2, go_on) == "bfloat16"
    assert not slow_now.asked


OTHERS: tuple[tuple[DenoiserKind, int, str], ...] = (
    ("transformer", 2, "a processor"), ("unet", 4, "a processor"), ("unet", 2, "another"),
)  # fmt: skip


def test_each_kind_thread_count_processor_and_torch_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formats(tmp_path, Measured(0.5)).fastest("unet", 2, go_on)
    others = Measured(2.0)
    for kind, threads, processor in OTHERS:
        assert formats(tmp_path, others, processor).fastest(kind, threads, go_on) == "float32"
    monkeypatch.setattr(torch, "__version__", "99.0")
    assert formats(tmp_path, others).fastest("unet", 2, go_on) == "float32"
    assert len(others.asked) == 4
    monkeypatch.undo()
    assert formats(tmp_path, others).fastest("unet", 2, go_on) == "bfloat16"  # All of them are kept.


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b'{"version": 1}', b'{"version": 2, "choices": {}}',
     b'{"version": 1, "choices": {"NAME": {"format": "float16", "float32_seconds": 1, "bfloat16_seconds": 1}}}',
     b'{"version": 1, "choices": {"NAME": {"format": "bfloat16", "float32_seconds": NaN, "bfloat16_seconds": 1}}}'],
)  # fmt: skip
def test_a_damaged_file_is_told_of_and_measured_anew(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    formats(tmp_path, Measured(0.5)).fastest("unet", 2, go_on)
    name = next(iter(json.loads(path_of(tmp_path).read_bytes())["choices"]))
    path_of(tmp_path).write_bytes(damage.replace(b"NAME", name.encode()))
    again = Measured(2.0)
    with caplog.at_level(logging.WARNING):
        assert formats(tmp_path, again).fastest("unet", 2, go_on) == "float32"
    assert len(again.asked) == 1
    assert "cpu-formats.json cannot be read" in caplog.text
    assert formats(tmp_path, Measured(0.5)).fastest("unet", 2, go_on) == "float32"  # It was written over.


def test_a_file_that_cannot_be_written_costs_one_measurement_an_engine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path_of(tmp_path).mkdir(parents=True)  # A folder has its name.
    measured = Measured(0.5)
    known = formats(tmp_path, measured)
    assert [known.fastest("unet", 2, go_on) for _ in range(2)] == ["bfloat16"] * 2
    assert len(measured.asked) == 1
    assert "measured again by the next engine" in caplog.text


def test_a_stopped_measurement_chooses_nothing(tmp_path: Path) -> None:
    measured = Measured(0.5)
    known = formats(tmp_path, measured)
    with pytest.raises(Interrupted):
        known.fastest("unet", 2, stop)
    assert not path_of(tmp_path).exists()
    assert known.fastest("unet", 2, go_on) == "bfloat16"
    assert len(measured.asked) == 2


def test_where_it_cannot_be_measured_float32_is_used_and_nothing_is_kept(tmp_path: Path) -> None:
    known = formats(tmp_path, Measured(error=RuntimeError("no kernel for BFloat16")))
    assert known.fastest("unet", 2, go_on) == "float32"
    assert not path_of(tmp_path).exists()
    with pytest.raises(RuntimeError, match="memory"):  # Known to the job's boundary, which tries with less.
        formats(tmp_path, Measured(error=RuntimeError("not enough memory"))).fastest("unet", 2, go_on)


def test_the_best_of_two_runs_counts_and_the_first_does_not() -> None:
    now, ran = [0.0], []
    seconds = {"float32": iter([9.0, 3.0, 2.0]), "bfloat16": iter([0.1, 1.0, 5.0])}

    def run(name: str) -> None:
        ran.append(name)
        now[0] += next(seconds[name])

    runs = {name: (lambda name=name: run(name)) for name in seconds}
    assert best_times(runs, go_on, lambda: now[0]) == {"float32": 2.0, "bfloat16": 1.0}
    assert ran == ["float32", "bfloat16"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_real_measurement_works_on_its_threads_and_stops_between_two_runs(kind: DenoiserKind) -> None:
    """After one run of each format; where bfloat16 is only emulated, which can take long, after that of float32."""
    before, seen = torch.get_num_threads(), []
    runs = 2 if cpu_has_fast_bfloat16() else 1

    def check() -> None:
        seen.append(torch.get_num_threads())
        if len(seen) > runs:
            stop()

    with pytest.raises(Interrupted):
        measure_formats(kind, before + 1, check)
    assert seen == [before + 1] * (runs + 1)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("text", "named"),
    [("processor : 0\nmodel name\t: A: 1\n\nprocessor: 1\nmodel name\t: A: 2\n", "A: 1 "),
     ("CPU implementer\t: 0x41\nCPU part\t: 0xd4f\n", "0x41 0xd4f ")],
)  # fmt: skip
def test_a_processor_has_the_name_that_the_system_gives_it(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert processor_name(tmp_path / "cpuinfo").startswith(named)
    assert processor_name(tmp_path / "absent")


# --- Jobs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def measured(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """What the engine measures with, on a processor made for bfloat16 that finds every model large."""
    monkeypatch.setattr(devices, "cpu_has_fast_bfloat16", lambda: True)
    monkeypatch.setattr(devices, "SMALL_DENOISER_PARAMETERS", 1)
    measured = Measured(0.5)
    monkeypatch.setattr(engine.parts.cpu_formats, "_measure", measured)
    return measured


def test_a_job_is_drawn_in_the_format_that_was_measured_once(engine: Engine, measured: Measured) -> None:
    jobs = [engine.draw(steps=1, width=64, height=64) for _ in range(2)]
    assert [(job.status, (job.resolved or {})["dtype"]) for job in jobs] == [("done", "bfloat16")] * 2
    assert measured.asked == [("unet", 1)]
    assert engine.folder.cpu_formats.is_file()


def test_a_small_model_is_drawn_in_float32_without_a_measurement(
    engine: Engine, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "SMALL_DENOISER_PARAMETERS", 100_000_000)
    assert (engine.draw(steps=1, width=64, height=64).resolved or {})["dtype"] == "float32"
    assert not measured.asked
    assert not engine.folder.cpu_formats.exists()


def test_a_job_that_is_stopped_while_it_measures_is_interrupted(engine: Engine, measured: Measured) -> None:
    measured.error = Interrupted("interrupt")
    job = engine.draw(steps=1, width=64, height=64)
    assert (job.status, job.resolved) == ("interrupted", None)
    assert not engine.folder.cpu_formats.exists()
