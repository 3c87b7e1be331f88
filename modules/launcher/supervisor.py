"""The launcher's loop: obey commands, look after the children, end everything in time."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from modules.launcher.child import Child
from modules.launcher.disobedience import Disobedience
from modules.launcher.exit_codes import ExitCode
from modules.launcher.keeper import Keeper
from modules.launcher.pulse import Pulse
from modules.launcher.server_keeper import ServerKeeper
from modules.launcher.switchboard import Switchboard
from modules.launcher.waiting_order import Moment, WaitingOrder
from modules.link import Role

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_END_EVERYTHING = 3.5
_STOPPING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Supervisor:
    """Run server and engine until someone says stop."""

    def __init__(
        self,
        board: Switchboard,
        server: Keeper,
        engine: Keeper,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._board = board
        self._server = server
        self._engine = engine
        self._clock = clock
        self._wall_clock = wall_clock
        self._pulse = Pulse(board, clock)
        self._disobedience = Disobedience(clock)
        board.on_interrupt = self._disobedience.note
        self._waiting: WaitingOrder | None = None
        self._signals = 0
        self._told: dict[str, Any] = {}

    def run(self) -> ExitCode:
        """Start both, look after them, end them; return the launcher's exit code. Main thread only."""
        with self._watching_signals():
            self.tell()  # before anyone is there to hear: no child ever joins without this topic
            self._server.start()
            self._engine.start()
            code = self._loop()
            self._end_everything()
            return code

    def _loop(self) -> ExitCode:
        while not self._signals:
            command = self._board.state.wait_for_server_command(timeout=SECONDS_BETWEEN_LOOKS)
            if command == "stop":
                break
            self.obey(command)
            self.obey_what_is_due()
            self._server.look()
            self._engine.look()
            self._pulse.listen(self._engine)
            self._disobedience.look(self._engine, self._board.state)
            self.tell()
            if self._server.status == "given_up":
                return ExitCode.SERVER_GIVEN_UP
        return ExitCode.OK

    def obey(self, command: str | None) -> None:
        """Do what a command says, or keep it until its moment has come. A second that waits replaces the first."""
        if command is None:
            return
        waiting = WaitingOrder.from_command(command, self._moment(), self._wall_clock())
        if waiting is not None:
            self._waiting = waiting
            logger.info("Ordered: %s", command)
        elif command == "restart":
            self._restart("server")
        elif command == "restart-engine":
            self._restart("engine")
        elif command == "cancel-restart":
            self._waiting = None
        else:
            logger.warning("Unknown server command: %s", command)

    def obey_what_is_due(self) -> None:
        """Do what waits once its moment has come."""
        waiting = self._waiting
        if waiting is not None and waiting.is_due(self._moment(), self._board.topics.get("queue")):
            self._restart(waiting.target)

    def _restart(self, target: Role) -> None:
        """Restart now; an order for the same that waits is done with it."""
        if self._waiting is not None and self._waiting.target == target:
            self._waiting = None
        logger.info("The %s restarts", target)
        (self._server if target == "server" else self._engine).restart()

    def _moment(self) -> Moment:
        return Moment.of(self._board.state.snapshot())

    def tell(self) -> None:
        """Publish how the children are and what waits, when it changed."""
        report = {
            "engine": self._engine.report(),
            "server": self._server.report(),
            "swap": self._swap_report(),
            "waiting": None if self._waiting is None else self._waiting.report(),
        }
        if report != self._told:
            self._told = report
            self._board.publish("supervisor", report)

    def _swap_report(self) -> dict[str, Any]:
        if isinstance(self._server, ServerKeeper):
            return self._server.swap_report()
        return {"status": "idle", "reason": None, "number": 0}

    def _end_everything(self) -> None:
        """Ask all children to end, and kill those that do not within 3.5 s or when asked a second time."""
        logger.info("Stopping")
        asked = self._signals
        children = [*self._server.children(), *self._engine.children()]
        for child in children:
            child.end_politely()
        left = children
        give_up_at = self._clock() + SECONDS_TO_END_EVERYTHING
        while left := [child for child in left if child.exit_code() is None]:
            if self._clock() >= give_up_at or self._signals > max(asked, 1):
                self._kill(left)
                break
            time.sleep(0.02)
        for child in children:
            child.finish_output(seconds=0.2)
        logger.info("Stopped")

    def _kill(self, children: list[Child]) -> None:
        for child in children:
            logger.warning("The %s does not end by itself: it is killed", child.role)
            child.end_now()
        for child in children:
            child.process.wait()

    @contextmanager
    def _watching_signals(self) -> Iterator[None]:
        """Count the signals that mean stop. A handler does no more: the loop may hold a lock when it runs."""

        def count(number: int, frame: FrameType | None) -> None:
            self._signals += 1

        numbers = [getattr(signal, name) for name in _STOPPING_SIGNALS if hasattr(signal, name)]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
            numbers.remove(signal.SIGHUP)  # nohup: it is to outlive its terminal
        before = {number: signal.signal(number, count) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
