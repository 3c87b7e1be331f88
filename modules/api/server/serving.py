"""The server that can be replaced without anyone noticing.

There are never two that accept: the new one makes everything ready and waits; the old one stops accepting and says so;
then the new one begins. In between, connections wait in the socket's backlog. Built for uvicorn 0.35 and later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from modules.api.live.watchers import MOST_WATCHERS
from modules.api.server.connection_limit import ConnectionLimit, most_connections
from modules.api.server.http_protocol import PatientConnection
from modules.api.server.true_client import Proxies
from modules.api.server.warm_up import port_of, warm_up
from modules.api.services import Services
from modules.cmd_args import is_loopback
from modules.open_files import raise_open_files_limit

logger = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
LINGER_SECONDS = 4.0
MOST_SECONDS_FOR_OTHERS = 5.0
MOST_SECONDS_TO_STOP = 1.2
MOST_SECONDS_FOR_SHUTDOWN = 0.5
SECONDS_UNTIL_FORCED = 2.5
TICK_SECONDS = 0.05
TURNS_TO_MAKE_A_TRANSPORT = 3
BACKLOG = 2048
ACCEPTED_AT_ONCE = 100
MILLISECONDS_TO_TAKE_ANYTHING = 60_000


class Closable(Protocol):
    """A connection, HTTP or WebSocket."""

    def shutdown(self) -> None:
        """Close it as soon as its answer is sent."""


class SwappableServer(uvicorn.Server):
    """Serves on a socket that is given to it, from the launcher's `accept` to its `retire`.

    uvicorn's own shutdown closes connections whose request it has not read yet and waits for streams that never end;
    hence the steps here: accept no more, tell streams and keep-alive connections to go elsewhere, let what is on
    its way arrive, answer everybody who waits for a picture, and only then close.

    `force_exit_after(seconds)` is called once the end has begun: by then the process is to be gone, whatever hangs.
    `linger_seconds` is how long a retiring server keeps connections on which nothing happens.
    """

    def __init__(
        self,
        app: ASGIApp,
        services: Services,
        force_exit_after: Callable[[float], None] = lambda seconds: None,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            # Gradio's would start its queue, which looks a thousand times a second whether somebody waits in it. Nobody
            # does: all that the page asks is answered at once (webui/listeners.py).
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # see true_client.py
            timeout_keep_alive=30,
            ws_per_message_deflate=False,
            ws_max_size=64 * 1024,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self.app = app
        self.services = services
        self.servers: list[asyncio.Server] = []
        self._may_accept = asyncio.Event()
        self._retirement: asyncio.Task[None] | None = None
        self._end_now = False
        self._force_exit_after = force_exit_after
        self._linger_seconds = linger_seconds
        proxies = Proxies(services.arguments.trusted_proxies)
        most = most_connections(raise_open_files_limit(), MOST_WATCHERS)
        self.connections = ConnectionLimit(most, is_known=lambda address: is_loopback(address) or address in proxies)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Make everything ready, tell the launcher, and accept once it says so."""
        loop = asyncio.get_running_loop()
        await self._join_launcher(loop)
        await warm_up(self.app, port_of(sockets))
        if not await self._wait_for_turn():
            return
        for listening in sockets or []:
            drop_clients_that_take_nothing(listening)
            # So many are accepted at each turn of the loop, or fail to be: asyncio tries them all when no file is left.
            server = await loop.create_server(self._new_connection, sock=listening, backlog=ACCEPTED_AT_ONCE)
            listening.listen(BACKLOG)
            self.servers.append(server)
        self.started = True
        self.services.downloads.start()
        self._signal("accepting")
        logger.info("The server accepts connections (process %d).", os.getpid())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is left: after a retirement next to nothing; after SIGTERM it takes at most three seconds."""
        if self._retirement is None or self._end_now:
            self._force_exit_after(SECONDS_UNTIL_FORCED)
        await self._stop_accepting()
        self.services.downloads.stop()
        self.services.model_watch.stop()
        self.services.shutdown.stop()
        self.services.broadcaster.leave()
        await self._until_idle(MOST_SECONDS_TO_STOP)
        for connection in list(self.server_state.connections):
            _close(connection)
        for task in list(self.server_state.tasks):
            task.cancel()
        await self._until_idle(MOST_SECONDS_FOR_SHUTDOWN)
        await self.services.broadcaster.stop()
        self.services.workers.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM ends the server, with exit code 0. SIGINT does only when no launcher is there to decide."""
        handled = [signal.SIGTERM] if self.services.link is not None else [signal.SIGTERM, signal.SIGINT]
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Only set flags: a handler may come at any instruction."""
        self._end_now = True
        self.should_exit = True

    async def retire(self) -> None:
        """Hand over to the next server and finish what this one has begun."""
        await self._stop_accepting()
        self.services.downloads.stop()
        self.services.model_watch.stop()
        self._signal("stopped")
        shutdown, broadcaster = self.services.shutdown, self.services.broadcaster
        shutdown.leave()
        broadcaster.leave()
        logger.info("Another server takes over; finishing %d requests.", len(self.server_state.tasks))
        await asyncio.sleep(GRACE_SECONDS)
        await self._until_connections_are_closed(self._linger_seconds)
        self._close_idle_connections()
        while shutdown.waiters and not self.should_exit:  # noqa: ASYNC110  (nothing is in a hurry any more)
            await asyncio.sleep(TICK_SECONDS)
        await self._until_idle(MOST_SECONDS_FOR_OTHERS)
        self.should_exit = True

    async def _join_launcher(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to the link first, then open it: what it knows already comes at once."""
        await self.services.broadcaster.start()
        self.services.model_watch.start()
        link = self.services.link
        if link is None:
            return

        def accept(payload: object) -> None:
            loop.call_soon_threadsafe(self._may_accept.set)

        def retire(payload: object) -> None:
            loop.call_soon_threadsafe(self._begin_retirement)

        link.on_signal("accept", accept)
        link.on_signal("retire", retire)
        link.on_closed(self._launcher_is_gone)
        await self.services.workers.run(link.start)

    def _begin_retirement(self) -> None:
        if self._retirement is None:
            self._retirement = asyncio.get_running_loop().create_task(self.retire(), name="retirement")

    def _launcher_is_gone(self) -> None:
        logger.warning("The launcher is gone: the server ends.")
        self._force_exit_after(SECONDS_UNTIL_FORCED + MOST_SECONDS_TO_STOP)
        self._end_now = True
        self.should_exit = True

    async def _wait_for_turn(self) -> bool:
        """Report ready and wait for the launcher's word; False when this server is to end before its turn comes."""
        if self.services.link is None:
            return True
        self._signal("ready")
        while not self._may_accept.is_set() and not self.should_exit:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._may_accept.wait()
        return not self.should_exit

    def _new_connection(self) -> asyncio.Protocol:
        return PatientConnection(self.config, self.server_state, self.lifespan.state, self.connections)

    async def _stop_accepting(self) -> None:
        """Close the listening sockets without losing a connection that was just taken from the backlog.

        asyncio makes the transport of an accepted connection one turn of the loop later, and drops it, a reset for the
        client, if its server is closed by then. So first no more are taken, then those are made, then it is closed.
        """
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listening in server.sockets:
                with contextlib.suppress(NotImplementedError):  # Windows, where nothing is handed over
                    loop.remove_reader(listening.fileno())
        for _turn in range(TURNS_TO_MAKE_A_TRANSPORT):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    def _signal(self, name: str) -> None:
        if self.services.link is not None:
            self.services.link.signal(name)

    def _close_idle_connections(self) -> None:
        """Close those that wait for a next request; those in a request only learn that it is their last."""
        for connection in list(self.server_state.connections):
            _close(connection)

    async def _until_connections_are_closed(self, most_seconds: float) -> None:
        """Let clients that poll on a kept connection, or are slow to send their first request, learn it by an answer.

        Who finds its connection closed under its hands sees an error, though all it has to do is to ask again.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + most_seconds
        while self.server_state.connections and not self.should_exit and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(TICK_SECONDS)

    async def _until_idle(self, most_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + most_seconds
        while self.server_state.tasks and loop.time() < deadline:  # noqa: ASYNC110  (uvicorn has no event for it)
            await asyncio.sleep(TICK_SECONDS)


def drop_clients_that_take_nothing(listening: socket.socket) -> None:
    """Let the system end connections whose client takes nothing of what waits for it, such as a stopped reader.

    Connections inherit it. Where the system cannot (it is Linux's), such a connection lasts as long as its client.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        with contextlib.suppress(OSError):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, MILLISECONDS_TO_TAKE_ANYTHING)


def _close(connection: Closable) -> None:
    """A connection that is broken already cannot be closed any better."""
    with contextlib.suppress(Exception):
        connection.shutdown()


def force_exit_after(seconds: float) -> None:
    """End the whole process later, whatever its threads do."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
