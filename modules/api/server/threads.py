"""Threads for what would block the event loop: files and the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Small pools, so that a crowd in one never keeps the others waiting.

    `run` is for any reading and writing, `run_control` for the stop buttons, `run_poll` for the one reader of events:
    it is a single thread, so that SQLite's `data_version`, a number of one connection, can be compared with its last.
    `run_submit` takes jobs: few threads, since many that work at once make the event loop wait for its turn.
    `run_picture` is for the files that clients send: how long one takes is up to who sent it. `run_sheet` makes one
    picture of many, one at a time: each takes as much memory as a large picture, and seconds.
    """

    def __init__(self) -> None:
        self._any = ThreadPoolExecutor(8, thread_name_prefix="store")
        self._submit = ThreadPoolExecutor(2, thread_name_prefix="submit")
        self._control = ThreadPoolExecutor(2, thread_name_prefix="control")
        self._poll = ThreadPoolExecutor(1, thread_name_prefix="events")
        self._pictures = ThreadPoolExecutor(2, thread_name_prefix="pictures")
        self._sheets = ThreadPoolExecutor(1, thread_name_prefix="sheets")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in a thread."""
        return await self._in(self._any, function, *args, **kwargs)

    async def run_submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in one of the threads that take jobs."""
        return await self._in(self._submit, function, *args, **kwargs)

    async def run_control(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in one of the threads that are kept for stopping."""
        return await self._in(self._control, function, *args, **kwargs)

    async def run_poll(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the one thread that reads events."""
        return await self._in(self._poll, function, *args, **kwargs)

    async def run_picture(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in one of the threads for what clients send."""
        return await self._in(self._pictures, function, *args, **kwargs)

    async def run_sheet(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the one thread that makes pictures of many."""
        return await self._in(self._sheets, function, *args, **kwargs)

    def close(self) -> None:
        """Let the threads end; work that has not begun is dropped."""
        for pool in (self._any, self._submit, self._control, self._poll, self._pictures, self._sheets):
            pool.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: function(*args, **kwargs))
