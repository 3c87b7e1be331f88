"""Which number format and how many threads."""

import os
from pathlib import Path

import pytest

from modules.engine.models import devices
from modules.engine.models.devices import Denoiser, Device, choose_dtype, choose_threads, cpu_has_fast_bfloat16

CPU, CUDA = Device("cpu", "CPU"), Device("cuda", "a card")
SMALL, LARGE = Denoiser(10_000_000), Denoiser(860_000_000)


def unasked() -> str:
    raise AssertionError("measured for nothing")


@pytest.mark.parametrize(("flags", "fast"), [("avx2 avx512_bf16", True), ("avx2 amx_bf16", True), ("avx2 f16c", False)])
def test_fast_bfloat16_is_read_from_the_processors_flags(tmp_path: Path, flags: str, fast: bool) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"model name\t: X\nflags\t\t: fpu {flags} sse\n")
    assert cpu_has_fast_bfloat16(file) is fast
    assert cpu_has_fast_bfloat16(tmp_path / "absent") is False


def test_auto_is_what_is_fastest_for_large_models_on_processors_made_for_bfloat16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "cpu_has_fast_bfloat16", lambda: True)
    assert choose_dtype("auto", CPU, LARGE, lambda: "bfloat16") == "bfloat16"
    assert choose_dtype("auto", CPU, LARGE, lambda: "float32") == "float32"


def test_who_needs_no_measurement_waits_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cpu_has_fast_bfloat16", lambda: True)
    assert choose_dtype("auto", CPU, SMALL, unasked) == "float32"
    assert choose_dtype("auto", CUDA, SMALL, unasked) == "float16"
    assert choose_dtype("float32", CUDA, LARGE, unasked) == "float32"
    assert choose_dtype("bfloat16", CPU, LARGE, unasked) == "bfloat16"
    monkeypatch.setattr(devices, "cpu_has_fast_bfloat16", lambda: False)
    assert choose_dtype("auto", CPU, LARGE, unasked) == "float32"


@pytest.mark.parametrize("device", [CPU, CUDA])
def test_auto_is_float32_where_a_pipeline_knows_nothing_else(device: Device) -> None:
    assert choose_dtype("auto", device, Denoiser(860_000_000, float32_only=True), unasked) == "float32"


def test_threads_are_the_setting_or_all_cores_for_large_models_and_half_for_small() -> None:
    cores = len(os.sched_getaffinity(0))
    assert choose_threads(3, SMALL) == 3
    assert choose_threads(0, LARGE) == cores
    assert choose_threads(0, SMALL) == max(1, cores // 2)


def test_memory_is_that_of_this_process() -> None:
    assert 50_000_000 < CPU.memory_bytes() < CPU.memory_total_bytes()
