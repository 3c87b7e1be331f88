"""How much memory there is and how much of it is free: of the machine, of the container, or of the device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from modules.engine.models.devices import Device

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Memory:
    """A memory in bytes."""

    total: int
    free: int


def memory_of(device: Device) -> Memory:
    """Return the memory in which a device keeps weights. A card without one of its own shares the machine's."""
    if device.torch_name != "cuda":
        return memory_of_machine()
    free, total = torch.cuda.mem_get_info()
    # What torch holds for later is as good as free.
    return Memory(int(total), int(free) + int(torch.cuda.memory_reserved() - torch.cuda.memory_allocated()))


def memory_of_machine(cgroup: Path = _CGROUP) -> Memory:
    """Return what this process may use: of the machine, or less where its container has a limit."""
    machine = psutil.virtual_memory()
    whole = Memory(int(machine.total), int(machine.available))
    limit = _limit(cgroup / "memory.max") or _limit(cgroup / "memory" / "memory.limit_in_bytes")
    if limit is None or limit >= whole.total:
        return whole
    used = _limit(cgroup / "memory.current") or _limit(cgroup / "memory" / "memory.usage_in_bytes") or 0
    return Memory(limit, max(0, min(whole.free, limit - used + _cached_files(cgroup))))


def _limit(file: Path) -> int | None:
    """Return the number in a file; None: there is none, or it says "max"."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _cached_files(cgroup: Path) -> int:
    """Return the bytes of files that the kernel would drop at once; a container's use counts them."""
    for file, name in (
        (cgroup / "memory.stat", "inactive_file"),
        (cgroup / "memory" / "memory.stat", "total_inactive_file"),
    ):
        try:
            pairs = dict(line.split() for line in file.read_text().splitlines())
            return int(pairs[name])
        except (OSError, ValueError, KeyError):
            continue
    return 0
