"""What a chaotic run does, in order: the same for the same seed, whatever the program answers."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OWNERS = ("ada", "bob", "cleo")
SECONDS_BETWEEN_BLOWS = 9.0
LONGEST_WAIT_SECONDS = 0.9

# How often each deed comes, against the others.
DEEDS = {
    "submit": 24, "skip": 5, "skip running": 6, "interrupt": 4, "interrupt running": 3, "stop": 4, "pause": 6,
    "resume": 7, "retry": 5, "move": 4, "priority": 3, "pause queue": 1, "resume queue": 6, "interrupt waiting": 1,
    "forever": 2, "not forever": 4, "remove": 2, "drop readers": 3, "wait for a picture": 3, "ask nonsense": 2,
    "restart later": 2, "freeze engine": 2, "freeze server": 2, "freeze launcher": 1,
}  # fmt: skip
# What ends a process. Each round of blows has all of these, in another order.
BLOWS = (
    "kill engine",
    "kill server",
    "hang engine",
    "restart server",
    "kill engine",
    "restart engine",
    "kill launcher",
    "kill engine",
)


@dataclass(frozen=True)
class Step:
    """One deed after a pause. `chance` (0 to 1) picks the job or the like that it is done to."""

    number: int
    wait: float
    deed: str
    chance: float
    more: float

    def __str__(self) -> str:
        return f"{self.number}: {self.deed} ({self.chance:.3f})"


def steps(seed: int, blows: tuple[str, ...] = BLOWS) -> Iterator[Step]:
    """Yield steps for ever. Blows come at about even distances, so that the program has time to get up."""
    chance = random.Random(seed)
    names, weights = list(DEEDS), list(DEEDS.values())
    round_of_blows: list[str] = []
    since_blow = 0.0
    number = 0
    while True:
        number += 1
        wait = chance.uniform(0, LONGEST_WAIT_SECONDS)
        since_blow += wait
        deed = chance.choices(names, weights)[0]
        if number <= 4:
            deed = "submit"
        elif blows and since_blow >= SECONDS_BETWEEN_BLOWS:
            since_blow = 0.0
            if not round_of_blows:
                round_of_blows = chance.sample(blows, len(blows))
            deed = round_of_blows.pop()
        yield Step(number, wait, deed, chance.random(), chance.random())


def requests(seed: int, samplers: list[str]) -> list[dict[str, Any]]:
    """Return the requests that a run submits again and again: few, since each is drawn once more in peace."""
    chance = random.Random(seed)
    chosen = chance.sample(samplers, min(8, len(samplers)))
    made = []
    for number, sampler in enumerate(chosen):
        batch_size = chance.choice((1, 1, 2))
        made.append(
            {
                "prompt": chance.choice(("red heart", "cat", "sun", "green tree", "blue fish")),
                "seed": 1000 * (number + 1),
                "steps": chance.choice((4, 10, 20, 40)),
                "width": chance.choice((64, 96, 128)),
                "height": chance.choice((64, 96, 128)),
                "sampler_name": sampler,
                "batch_size": batch_size,
                "n_iter": chance.choice((1, 2, 3)),
                "override_settings": {"save_incomplete_images": chance.random() < 0.3},
            }
        )
    return made
