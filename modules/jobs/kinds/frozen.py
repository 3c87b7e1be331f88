"""What a job's row holds, read once and never changed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Values that do not change any more. Those of a later version are not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
