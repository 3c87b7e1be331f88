"""How many files and sockets this process may have open."""

from __future__ import annotations

import sys

# Some systems say a milliard; programs that look at each possible one would then be slow.
MOST_USEFUL = 65_536
USUAL = 1024


def raise_open_files_limit() -> int:
    """Ask for as many as the system allows without more rights, and return how many may be open then.

    The usual 1,024 are for programs that cannot count further (`select`); none of ours is one. Children inherit it.
    """
    if sys.platform == "win32":
        return USUAL
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_USEFUL if hard == resource.RLIM_INFINITY else min(hard, MOST_USEFUL)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MOST_USEFUL if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
