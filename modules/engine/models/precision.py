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

    def cast(value: Any, to: torch.dtype) -> Any:
        return value.to(to) if isinstance(value, torch.Tensor) and value.is_floating_point() else value

    def before(_module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        # The timestep, second, stays whole: bfloat16 knows no 999.
        cast_inputs = tuple(value if place == 1 else cast(value, dtype) for place, value in enumerate(inputs))
        return cast_inputs, {name: cast(value, dtype) for name, value in named.items()}

    def after(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return tuple(cast(value, torch.float32) for value in output)
        return output

    denoiser.register_forward_pre_hook(before, with_kwargs=True)
    denoiser.register_forward_hook(after)
