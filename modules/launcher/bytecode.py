"""What Python compiles is kept between starts, beside its sources."""

from __future__ import annotations

from collections.abc import Mapping

FORBIDS_KEEPING = "PYTHONDONTWRITEBYTECODE"


def with_bytecode_kept(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables without the one that has every start compile all files anew.

    Images for containers set it to keep their layers small. These are 5,700 files here: two thirds of the time until an
    engine is there, half of that until a page is.
    """
    return {name: value for name, value in variables.items() if name != FORBIDS_KEEPING}
