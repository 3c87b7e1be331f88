"""Keep the sampler in float32 whatever number format the denoiser works in.

At high noise levels bfloat16 rounds away more than a step changes; the casts cost nothing beside the denoiser.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def cast_around(denoiser: nn.Module, dtype: torch.dtype) -> None:
    """Let `denoiser`, which holds its weights in `dtype`, take float32 and give float32."""
    if dtype == torch.float32:
        return

    def before(_module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        # The timestep, second or by its name, stays whole: bfloat16 knows no 999.
        cast_inputs = tuple(value if place == 1 else _cast(value, dtype) for place, value in enumerate(inputs))
        return cast_inputs, {
            name: value if name == "timestep" else _cast(value, dtype) for name, value in named.items()
        }

    def after(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        return _cast(output, torch.float32) if isinstance(output, tuple) else output

    denoiser.register_forward_pre_hook(before, with_kwargs=True)
    denoiser.register_forward_hook(after)


def _cast(value: Any, to: torch.dtype) -> Any:
    """Return numbers in another format, also those in lists: some denoisers take and give one tensor a picture."""
    if isinstance(value, torch.Tensor):
        return value.to(to) if value.is_floating_point() else value
    if isinstance(value, list | tuple):
        return type(value)(_cast(one, to) for one in value)
    return value
