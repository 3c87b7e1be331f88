"""The launcher's loop: obey commands, look after the children, end everything in time."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from modules.launcher.child import Child
from modules.launcher.disobedience import Disobedience
from modules.launcher.exit_codes import ExitCode
from modules.launcher.keeper import Keeper
from modules.launcher.pulse import Pulse
from modules.launcher.server_keeper import ServerKeeper
from modules.launcher.switchboard import RESTART_ENGINE, Switchboard
from modules.launcher.waiting_order import Moment, Moments, WaitingOrder
from modules.link import Role
from modules.link.topics import topic_of

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_END_EVERYTHING = 3.5
_STOPPING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Supervisor:
    """Run the server and the engines until someone says stop."""

    def __init__(
        self,
        board: Switchboard,
        server: Keeper,
        engines: Sequence[Keeper],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._board = board
        self._server = server
        self._engines = engines
        self._clock = clock
        self._wall_clock = wall_clock
        self._pulses = [Pulse(board, engine, clock) for engine in engines]
        states = [board.noticeboards.of_engine(engine.engine) for engine in engines]
        self._disobedience = [Disobedience(*each, clock) for each in zip(states, engines, strict=True)]
        board.on_interrupt = self._note_interrupt
        self._waiting: WaitingOrder | None = None
        self._signals = 0
        self._told: dict[str, Any] = {}

    def run(self) -> ExitCode:
        """Start them, look after them, end them; return the launcher's exit code. Main thread only."""
        with self._watching_signals():
            self.tell()  # before anyone is there to hear: no child ever joins without this topic
            self._server.start()
            for engine in self._engines:
                engine.start()
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
            self.look_after_engines()
            self.tell()
            if self._server.status == "given_up":
                return ExitCode.SERVER_GIVEN_UP
        return ExitCode.OK

    def look_after_engines(self) -> None:
        """See what became of each engine, listen to it, and end it where it does not obey."""
        for engine, pulse, disobedience in zip(self._engines, self._pulses, self._disobedience, strict=True):
            engine.look()
            pulse.listen()
            disobedience.look()

    def obey(self, command: str | None) -> None:
        """Do what a command says, or keep it until its moment has come. A second that waits replaces the first."""
        if command is None:
            return
        command, _, engine = command.partition(" ")
        waiting = WaitingOrder.from_command(command, self._moments(), self._wall_clock())
        if waiting is not None:
            self._waiting = waiting
            logger.info("Ordered: %s", command)
        elif command == "restart":
            self._restart("server")
        elif command == RESTART_ENGINE:
            self._restart("engine", engine)
        elif command == "cancel-restart":
            self._waiting = None
        else:
            logger.warning("Unknown server command: %s", command)

    def obey_what_is_due(self) -> None:
        """Do what waits once its moment has come."""
        waiting = self._waiting
        if waiting is not None and waiting.is_due(self._moments(), self._board.topics.get("queue")):
            self._restart(waiting.target)

    def _restart(self, target: Role, engine: str = "") -> None:
        """Restart now, of the engines one or all; an order for the same that waits is done with it."""
        if self._waiting is not None and self._waiting.target == target:
            self._waiting = None
        for keeper in [self._server] if target == "server" else self._engines:
            if engine in ("", keeper.engine):
                logger.info("The %s restarts", keeper.name)
                keeper.restart()

    def _moments(self) -> Moments:
        return tuple(Moment.of(state.snapshot()) for state in self._board.noticeboards.all())

    def _note_interrupt(self, job: str, times: int) -> None:
        for disobedience in self._disobedience:
            disobedience.note(job, times)

    def tell(self) -> None:
        """Publish how the children are and what waits, when it changed."""
        report = {
            **{topic_of("engine", engine.engine): engine.report() for engine in self._engines},
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
        children = [*self._server.children(), *(child for engine in self._engines for child in engine.children())]
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
            logger.warning("The %s does not end by itself: it is killed", child.name)
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
