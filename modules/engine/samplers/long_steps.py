"""Steps that are far longer than the one before: what multistep samplers saw there says nothing of their end.

The own list of some flow models ends in one, from t = 0.15 to 0.01. A straight line through the last two estimates, led
on over many times its length, leaves the picture far behind; where it would be, these samplers go without looking back.
"""

from __future__ import annotations

from typing import Any

import torch

# So many times as long as the step before, on the logarithmic scale of noise over signal. The last steps of a list that
# is even in time are up to 1.8 times as long.
_TOO_LONG = 2.5


class NoLongLooksBack:
    """Put before a multistep scheduler of diffusers. `careful`: it goes without looking back in steps too long."""

    careful = False
    sigmas: torch.Tensor
    step_index: Any

    def _is_too_long(self) -> bool:
        if not self.careful or not self.step_index:
            return False
        before, now, later = self.sigmas[self.step_index - 1 : self.step_index + 2].double().tolist()
        return bool(later == 0 or (now / later) > (before / now) ** _TOO_LONG)
