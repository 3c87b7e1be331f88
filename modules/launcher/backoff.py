"""How long to wait before a dead child is started again, and when to stop trying."""

from __future__ import annotations

LONG_LIFE_SECONDS = 30.0
DEATHS_BEFORE_GIVING_UP = 5


class Backoff:
    """Count deaths in a row. A life of 30 s or more ends the row."""

    def __init__(self) -> None:
        self.deaths = 0

    def reset(self) -> None:
        """Forget the row: someone asked for a new try."""
        self.deaths = 0

    def died(self, lived_seconds: float) -> float | None:
        """Return the seconds to wait: 1, 2, 4 …; None at the fifth short life in a row: give up."""
        if lived_seconds >= LONG_LIFE_SECONDS:
            self.deaths = 0
            return 1.0
        self.deaths += 1
        if self.deaths >= DEATHS_BEFORE_GIVING_UP:
            return None
        return float(2 ** (self.deaths - 1))
