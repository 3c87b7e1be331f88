"""What one snapshot costs: the thread that draws, the thread that writes, and the disk.

`python -m benchmarks.snapshots`. Times are the best of twenty; the first two are processor time of their thread. A
snapshot is taken each `snapshot_every_seconds` (30), so one percent of a job would be 300 ms.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.table import build_sampler
from modules.engine.work.snapshots import Snapshot, to_bytes
from modules.paths import write_atomically

NOISE_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}
SAMPLERS = ("Euler a", "DPM++ 2M SDE", "UniPC", "LMS")
TRIES, STEPS = 20, 6


def measure(sampler: str, pixels: int, batch: int, folder: Path) -> str:
    """Draw some steps of nothing, then keep where they stand."""
    generators = [torch.Generator().manual_seed(index) for index in range(batch)]
    scheduler = SchedulerProxy(build_sampler(sampler, "Automatic", NOISE_SCHEDULE, 20), generators)
    scheduler.set_timesteps(20)
    latents = torch.randn(batch, 4, pixels // 8, pixels // 8)
    for timestep in scheduler.timesteps[:STEPS]:
        latents = scheduler.step(torch.randn_like(latents), timestep, latents, return_dict=False)[0]
    takes, packs, writes = [], [], []
    for _ in range(TRIES):
        began = time.thread_time()
        state = scheduler.state
        assert state is not None
        taken = time.thread_time()
        data = to_bytes(Snapshot("job", (0,), "request", {}, state))
        packed = time.thread_time()
        writing = time.perf_counter()
        write_atomically(folder / "job.safetensors", data, sole_writer=True)
        takes.append(taken - began)
        packs.append(packed - taken)
        writes.append(time.perf_counter() - writing)
    drawing, own, disk = (1000 * min(seconds) for seconds in (takes, packs, writes))
    where = f"{sampler:13} {pixels:5} px, batch {batch}"
    return f"{where}: drawing {drawing:5.2f} ms, writing {own:5.2f} ms, disk {disk:5.1f} ms, {len(data) / 1000:6.0f} kB"


def main() -> None:
    """Print one line a case."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for sampler in SAMPLERS:
            for pixels in (512, 1024):
                for batch in (1, 4):
                    print(measure(sampler, pixels, batch, Path(folder)))


if __name__ == "__main__":
    main()
