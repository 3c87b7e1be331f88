"""How adapters of each kind change a weight: LoRA, LoHa, LoKr, (IA)3, GLoRA, OFT, whole differences, norms; and DoRA.

All in float32. `weight` is W as it is when the adapter's turn comes, and what is returned W' - W at full strength. With
strength w the weight becomes W + w * (W' - W), as with A1111. A reader of A1111's pictures gets its rules: strength is
alpha / rank, and without an alpha, or one of 0, 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Parts = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Settings:
    """What an adapter says beside its tensors. `rank_used`: the first so many of its ranks count; None: all.

    `strength` is that of peft's metadata, which stands in place of alpha / rank.
    """

    alpha: float | None = None
    strength: float | None = None
    on_input: bool = False
    rank_used: int | None = None

    def scale(self, rank: int) -> float:
        """Return what the product of the parts is multiplied with."""
        if self.strength is not None:
            return self.strength
        return self.alpha / rank if self.alpha else 1.0


class UnknownKind(Exception):  # noqa: N818  (who knows the file's name tells of it)
    """An adapter of a kind that is not known here, or one that lacks a part."""


def change_of_weight(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor | None:
    """Return W' - W, of the shape of `weight`; None: it changes the bias alone.

    Raises:
        UnknownKind: no kind has these parts.
        RuntimeError, IndexError: they do not fit the weight.
    """
    for needed, change in _KINDS:
        if needed <= parts.keys():
            changed = change(parts, settings, weight).reshape(weight.shape)
            return _decomposed(parts["dora_scale"], weight, changed) if "dora_scale" in parts else changed
    if parts.keys() & {"diff_b", "b_norm"}:
        return None
    raise UnknownKind


def change_of_bias(parts: Parts, settings: Settings, bias: torch.Tensor) -> torch.Tensor | None:
    """Return b' - b at full strength, of the shape of `bias`; None: it leaves that alone.

    Raises:
        RuntimeError: it does not fit.
    """
    for name in ("diff_b", "b_norm"):
        if name in parts:
            return parts[name].reshape(bias.shape)
    if "up_bias" in parts:
        return settings.scale(parts["down"].shape[0]) * parts["up_bias"].reshape(bias.shape)
    return None


def _lora(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    up, down = parts["up"], parts["down"]
    scale = settings.scale(down.shape[0])
    if "mid" in parts:  # Tucker's decomposition of a convolution
        return scale * torch.einsum("nm...,in,mj->ij...", parts["mid"], up.flatten(1), down.flatten(1))
    up, down = up.flatten(1)[:, : settings.rank_used], down.flatten(1)[: settings.rank_used]
    return scale * (up @ down)


def _loha(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    factors = [
        _tucker(parts[f"hada_t{side}"], parts[f"hada_w{side}_a"], parts[f"hada_w{side}_b"])
        if f"hada_t{side}" in parts
        else parts[f"hada_w{side}_a"] @ parts[f"hada_w{side}_b"]
        for side in (1, 2)
    ]
    return settings.scale(parts["hada_w1_b"].shape[0]) * factors[0] * factors[1]


def _lokr(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    rank: int | None = None
    factors = []
    for side in ("lokr_w2", "lokr_w1"):
        if side in parts:
            factors.append(parts[side])
            continue
        first, second = parts[f"{side}_a"], parts[f"{side}_b"]
        rank = rank or second.shape[0]
        tucker = parts.get("lokr_t2") if side == "lokr_w2" else None
        factors.append(first @ second.flatten(1) if tucker is None else _tucker(tucker, first, second))
    larger, smaller = (one.flatten(1).contiguous() for one in factors)
    scale = settings.strength or 1.0 if rank is None else settings.scale(rank)
    return scale * torch.kron(smaller, larger)


def _tucker(core: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return (out, in, …) of a core (r, r, …) with (r, out) and (r, in)."""
    return torch.einsum("ij...,jr,ip->pr...", core, second, first)


def _ia3(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    along = [1] * weight.ndim
    along[1 if settings.on_input else 0] = -1
    return weight * parts["weight"].reshape(along)


def _glora(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    a1, a2, b1, b2 = (parts[name].flatten(1) for name in ("a1", "a2", "b1", "b2"))
    if a1.shape[0] == b1.shape[0] == b2.shape[1] and b1.shape[0] != weight.shape[0]:
        # The order of LyCORIS before 2024: the first factor stands second.
        a1, a2, b1, b2 = a2, a1, b2, b1
    through = torch.einsum("oi...,ij,jk->ok...", weight, a1, a2)
    return settings.scale(a2.shape[0]) * (through + (b1 @ b2).reshape(weight.shape))


def _oft(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    blocks = parts["oft_diag"] if "oft_diag" in parts else _rotations(parts["oft_blocks"], settings, len(weight))
    if blocks.ndim != 3:
        raise UnknownKind  # the butterfly form
    rows = weight.reshape(blocks.shape[0], blocks.shape[1], *weight.shape[1:])
    turned = torch.einsum("knm,kn...->km...", blocks, rows).flatten(0, 1)
    if "rescale" in parts:
        turned = turned * parts["rescale"].reshape(-1, *[1] * (weight.ndim - 1))
    return turned - weight


def _rotations(blocks: torch.Tensor, settings: Settings, rows: int) -> torch.Tensor:
    """Return the rotations that skew matrices stand for, (count, side, side). Alpha limits how far they turn."""
    skew = blocks - blocks.transpose(-1, -2)
    if settings.alpha:
        limit = settings.alpha * rows
        norm = torch.linalg.vector_norm(skew)
        skew = skew * (norm.clamp(max=limit) / norm.clamp(min=1e-8))
    one = torch.eye(blocks.shape[-1], device=blocks.device)
    rotations: torch.Tensor = (one + skew) @ torch.linalg.inv(one - skew)
    return rotations


def _added(name: str) -> Callable[[Parts, Settings, torch.Tensor], torch.Tensor]:
    return lambda parts, settings, weight: parts[name]


def _set(parts: Parts, settings: Settings, weight: torch.Tensor) -> torch.Tensor:
    return parts["set_weight"].reshape(weight.shape) - weight


def _decomposed(magnitude: torch.Tensor, weight: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
    """Return W' - W where the change is one of direction, and the lengths are those that were learnt (DoRA).

    `magnitude`: one for each column, [1, in, …], or for each row.
    """
    changed = weight + change
    by_column = magnitude.ndim > 1 and magnitude.shape[0] == 1 and magnitude.numel() == weight.shape[1]
    others: Any = [axis for axis in range(weight.ndim) if axis != int(by_column)]
    lengths = torch.linalg.vector_norm(changed, dim=others, keepdim=True)
    learnt = magnitude.reshape(lengths.shape)
    lengthened: torch.Tensor = changed * (learnt / (lengths + torch.finfo(lengths.dtype).eps))
    return lengthened - weight


# The first whose parts are all there.
_KINDS: tuple[tuple[frozenset[str], Callable[[Parts, Settings, torch.Tensor], torch.Tensor]], ...] = (
    (frozenset({"up", "down"}), _lora),
    (frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"}), _loha),
    *(
        (frozenset({*first, *second}), _lokr)
        for first in (("lokr_w1",), ("lokr_w1_a", "lokr_w1_b"))
        for second in (("lokr_w2",), ("lokr_w2_a", "lokr_w2_b"))
    ),
    (frozenset({"a1", "a2", "b1", "b2"}), _glora),
    (frozenset({"oft_blocks"}), _oft),
    (frozenset({"oft_diag"}), _oft),
    (frozenset({"weight", "on_input"}), _ia3),
    (frozenset({"diff"}), _added("diff")),
    (frozenset({"w_norm"}), _added("w_norm")),
    (frozenset({"set_weight"}), _set),
)
