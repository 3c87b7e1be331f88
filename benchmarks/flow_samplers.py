"""How far each sampler strays from a fine solution with flow models: `python -m benchmarks.flow_samplers`.

Prints the table of `modules/jobs/flow_figures.py` as it is measured now, and the pairs of which a flow model's users
are told; exits with 1 where a figure is another. Takes no models: the answer of the model is a formula.
"""

from __future__ import annotations

import sys

from modules.jobs.flow_figures import FIGURES, SHIFT, STEPS, STRAYS_PERCENT
from modules.jobs.samplers import SAMPLERS, SCHEDULES
from tests.engine.samplers.flow_of_mixture import strays_by

# In percent: another processor rounds otherwise.
_APART = 1.0


def main() -> int:
    """Print the table; return 1 if a figure of the program's is another."""
    print(f"{STEPS} steps, shift {SHIFT:g}: percent from a fine solution")
    print(f"{'':<20}" + "".join(f"{one.label:>13}" for one in SCHEDULES))
    missed = []
    for sampler in SAMPLERS:
        measured = {schedule: strays_by(sampler.name, schedule, STEPS, SHIFT) for schedule in sampler.schedules}
        cells = (measured.get(one.label) for one in SCHEDULES)
        print(f"{sampler.name:<20}" + "".join(" " * 13 if cell is None else f"{cell:>13.2f}" for cell in cells))
        known = FIGURES[sampler.name]
        missed += [(sampler.name, name, of) for name, of in measured.items() if abs(known[name] - of) > _APART]
    print(f"{STRAYS_PERCENT} and more is told of")
    for name, schedule, figure in missed:
        print(f"{name} with {schedule}: {figure:.2f}, but the program says {FIGURES[name][schedule]}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
