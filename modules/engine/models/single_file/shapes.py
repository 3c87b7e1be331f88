"""What the names of tensors say of a network."""

from __future__ import annotations

from collections.abc import Iterable


def count_blocks(names: Iterable[str], stem: str) -> int:
    """Count `stem.0`, `stem.1` and so on."""
    return len({name[len(stem) + 1 :].partition(".")[0] for name in names if name.startswith(stem + ".")})
