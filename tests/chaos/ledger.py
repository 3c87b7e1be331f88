"""What a chaotic run knows of its jobs, from the answers it got, and so how each may end."""

from dataclasses import dataclass, field

from tests.chaos.plan import Wish

ENDS = ("interrupt", "stop")


@dataclass
class Entry:
    """A job that was submitted. What was asked of it counts from its last retry on.

    A `chain` is followed by others like it. `asked` holds (kind, status it was in) of each request that was accepted;
    `unsure` the kinds of those whose answer was lost with the server, which may have been obeyed or not; `kills_at`
    when its engine was killed with it.
    """

    id: str
    owner: str
    wish: Wish
    chain: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)
    removed: bool = False
    kills_at: list[float] = field(default_factory=list)
    skips: int = 0
    interrupted_in_queue: bool = False

    def note(self, kind: str, was: str | None) -> None:
        """Take down an accepted request."""
        self.asked.append((kind, was))
        if kind == "skip":
            self.skips += 1
        elif kind == "retry":
            self.asked = []
            self.kills_at = []
            self.removed = False
            self.interrupted_in_queue = False
        elif kind == "remove":
            self.removed = True

    @property
    def kills(self) -> int:
        """How often its engine was killed with it."""
        return len(self.kills_at)

    def possible_ends(self) -> set[str]:
        """Return the statuses with which the job may end, when all that waits and pauses has been let go on."""
        ends = {"done"}
        stops = [was for kind, was in self.asked if kind in ENDS]
        if stops or self.interrupted_in_queue:
            ends = {"interrupted"}
            if stops and all(was == "running" for was in stops):
                ends.add("done")  # it was through before the engine saw the request
        if self.unsure & {*ENDS, "interrupt waiting"}:
            ends |= {"interrupted", "done"}
        if self.removed or "remove" in self.unsure:
            ends |= {"gone", "interrupted"}
            if self.removed and not self.unsure:
                ends.discard("done")
        if self.kills >= 2 and "interrupted" not in ends:
            ends = {"quarantined"}
        elif self.kills >= 2:
            ends.add("quarantined")
        if "retry" in self.unsure:
            ends |= {"done", "interrupted", "quarantined"}
        return ends


class Ledger:
    """The jobs in the order of their submission."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, id: str, owner: str, wish: Wish, chain: bool = False) -> None:
        self.entries[id] = Entry(id, owner, wish, chain)

    def pick(self, chance: float) -> Entry | None:
        """Return a job; late ones are likelier, since they are not over yet."""
        entries = list(self.entries.values())
        return entries[int(len(entries) * (1 - chance**2) * 0.999)] if entries else None
