"""What the program does now, for everyone who watches: `State`, with the names that users of A1111's webui know.

Standard library only, so that the launcher can hold one. A `State` works alone in any process. Ports connect it to
more: `observer` (local changes go out), `stops` (skip and interrupt become durable requests), `command_port`
(commands go to the launcher), and `preview_decoder` with `preview_encoder`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeVar, overload

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

T = TypeVar("T")
FIRST_ENGINE = "1"
Values = dict[str, Any]  # `dict` itself is a method inside State
RequestKind = Literal["skip", "interrupt", "stop", "pause"]

_FLAG_OF_REQUEST: dict[RequestKind, str] = {
    "skip": "skipped",
    "interrupt": "interrupted",
    "stop": "stopping_generation",
    "pause": "pausing",
}
_WORDS_OF_REQUEST: dict[RequestKind, str] = {
    "skip": "skip",
    "interrupt": "interrupt",
    "stop": "stop generating",
    "pause": "pause",
}
_KEYS_OF_DICT = (
    "skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no",
    "sampling_step", "sampling_steps",
)  # fmt: skip
_DECODE_FAILURES_BEFORE_PREVIEWS_STOP = 3


@dataclass(frozen=True)
class Preview:
    """A small encoded picture of an image that is being drawn. `id` only grows in the life of the launcher."""

    id: int
    job: str
    image: int
    step: int
    media_type: str
    data: bytes
    engine: str = FIRST_ENGINE


class Stops(Protocol):
    """Where skip, interrupt and stop go when they are to outlive this process, as a row in the job store."""

    def request(self, kind: RequestKind, job: str | None) -> bool:
        """Request it of `job`, or of what runs when None; tell whether there was something to act on."""
        ...


class _Shared(Generic[T]):
    """A field of `State` that others see: written under its lock, told to its observer."""

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type[State], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, state: None, owner: type[State]) -> Self: ...
    @overload
    def __get__(self, state: State, owner: type[State]) -> T: ...
    def __get__(self, state: State | None, owner: type[State]) -> T | Self:
        if state is None:
            return self
        value: T = state._values[self.name]
        return value

    def __set__(self, state: State, value: T) -> None:
        with state._lock:
            state._change({self.name: value})


class State:
    """The noticeboard of one engine: what runs now and how far it is.

    In the engine its job fields are written; in launcher and server they are a copy. Every method may be called from
    any thread. `skipped`, `interrupted`, `stopping_generation` and `pausing` are answered by whoever runs the job.
    """

    skipped = _Shared(False)
    interrupted = _Shared(False)
    stopping_generation = _Shared(False)
    pausing = _Shared(False)  # to go on later, exactly; not among A1111's nine keys
    job = _Shared("")
    job_no = _Shared(0)
    job_count = _Shared(0)  # 0 is idle, -1 is begun and not yet counted
    job_timestamp = _Shared("0")
    sampling_step = _Shared(0)
    sampling_steps = _Shared(0)
    current_image_sampling_step = _Shared(0)
    id_live_preview = _Shared(0)
    textinfo: _Shared[str | None] = _Shared(None)
    time_start: _Shared[float | None] = _Shared(None)
    image_index = _Shared(0)  # of the image that is drawn now, counted within its job
    begun = _Shared(0)  # number of the latest begin: the token of the job that runs or ran last
    begun_job = _Shared("")  # its name, also when `job` was changed inside it and after its end
    running = _Shared(False)

    def __init__(self, engine: str = FIRST_ENGINE) -> None:
        self.engine = engine  # the id of the one that it shows
        self._lock = threading.Lock()
        self._decoding = threading.Lock()
        self._command_came = threading.Condition(threading.Lock())
        self._commands: deque[str] = deque()
        self._values: Values = {name: field.default for name, field in _FIELDS.items()}
        self._preview: Preview | None = None
        self._decode_failures = 0
        self.current_latent: Any = None
        self.current_image: Image | None = None
        self.server_start = time.time()
        # Called with the changed fields, under the lock so that changes go out in the order in which they were made.
        # It may only put them down somewhere; it must not wait and must not call this State.
        self.observer: Callable[[Mapping[str, object]], None] | None = None
        self.preview_observer: Callable[[Preview], None] | None = None
        self.stops: Stops | None = None
        self.command_port: Callable[[str], None] | None = None
        # Makes a picture of `current_latent`; None: nobody waits for that one any more.
        self.preview_decoder: Callable[[Any], Image | None] | None = None
        # Returns media type and bytes; with it other processes see each preview that is assigned here.
        self.preview_encoder: Callable[[Image], tuple[str, bytes]] | None = None
        # Steps between previews that `set_current_image` makes; -1: only one for each finished image.
        self.preview_every_n_steps = 1

    def dict(self) -> Values:
        """Return the nine keys that A1111's API shows as `state`."""
        with self._lock:
            return {key: self._values[key] for key in _KEYS_OF_DICT}

    def snapshot(self) -> Values:
        """Return every field that travels between processes."""
        with self._lock:
            return dict(self._values)

    # What a job says about itself.

    def begin(self, job: str = "(unknown)") -> int:
        """Begin a job: everything of the one before is forgotten. Return the token that ends this one and no other."""
        with self._lock:
            token: int = self._values["begun"] + 1
            kept = ("id_live_preview", "begun")
            values = {name: field.default for name, field in _FIELDS.items() if name not in kept}
            values |= {
                "job": job,
                "begun_job": job,
                "begun": token,
                "running": True,
                "job_count": -1,
                "job_timestamp": time.strftime("%Y%m%d%H%M%S"),
                "time_start": time.time(),
            }
            self.current_latent = None
            self.current_image = None
            self._preview = None
            self._decode_failures = 0
            self._change(values)
        logger.info("Starting job %s", job)
        return token

    def end(self, token: int | None = None) -> bool:
        """End the job that runs, or only the one that `begin` gave `token` for. Tell whether a job was ended."""
        with self._lock:
            if not self._values["running"] or token not in (None, self._values["begun"]):
                return False
            job, started = self._values["begun_job"], self._values["time_start"]
            self._change({"job": "", "job_count": 0, "running": False})
        logger.info("Ending job %s (%.2f seconds)", job, time.time() - started)
        return True

    def nextjob(self) -> None:
        """Count one part of the job as done. With previews for finished images only, this is when one is made."""
        if self.preview_every_n_steps == -1:
            self.do_set_current_image()
        with self._lock:
            self._change({"job_no": self._values["job_no"] + 1, "sampling_step": 0, "current_image_sampling_step": 0})

    # Stopping.

    def skip(self, job: str | None = None) -> bool:
        """Ask for the next image instead of this one, of the running job or only of `job`; False: nothing to skip."""
        return self._request("skip", job)

    def interrupt(self, job: str | None = None) -> bool:
        """Ask that the running job, or only `job`, stops now; False: there is nothing to interrupt."""
        return self._request("interrupt", job)

    def stop_generating(self, job: str | None = None) -> bool:
        """Ask that the running job, or only `job`, stops after its current image; False: there is nothing to stop."""
        return self._request("stop", job)

    def apply_request(self, kind: RequestKind, job: str | None, image: int | None = None) -> bool:
        """Set the flag of a request if `job` is what runs, and for a skip if `image` is what is drawn (engine).

        None stands for any. What comes too late for its job or image is dropped.
        """
        with self._lock:
            if not self._values["running"] or job not in (None, self._values["begun_job"]):
                return False
            if kind == "skip" and image not in (None, self._values["image_index"]):
                return False
            self._change({_FLAG_OF_REQUEST[kind]: True})
        logger.info("Received %s request", _WORDS_OF_REQUEST[kind])
        return True

    def _request(self, kind: RequestKind, job: str | None) -> bool:
        if self.stops is not None:
            return self.stops.request(kind, job)
        return self.apply_request(kind, job)

    # Commands to the launcher.

    @property
    def server_command(self) -> str | None:
        """The command that waits in this process, if any. Setting one queues it; setting None does nothing."""
        with self._command_came:
            return self._commands[0] if self._commands else None

    @server_command.setter
    def server_command(self, command: str | None) -> None:
        if command is None:
            return
        if self.command_port is not None:
            self.command_port(command)
            return
        with self._command_came:
            if command == "stop":
                self._commands.clear()
            if command not in self._commands:
                self._commands.append(command)
                self._command_came.notify()

    @property
    def need_restart(self) -> bool:
        """Whether a restart waits. Setting True requests one; setting False cancels nothing (as in A1111)."""
        with self._command_came:
            return "restart" in self._commands

    @need_restart.setter
    def need_restart(self, value: bool) -> None:
        if value:
            self.server_command = "restart"

    def request_restart(self, interrupt: bool = False) -> None:
        """Ask the launcher for a new server. The running job goes on unless `interrupt` is set."""
        if interrupt:
            self.interrupt()
        self.server_command = "restart"
        logger.info("Received restart request")

    def wait_for_server_command(self, timeout: float | None = None) -> str | None:
        """Take the next command, waiting up to `timeout` seconds; None when there was none."""
        with self._command_came:
            self._command_came.wait_for(lambda: bool(self._commands), timeout)
            return self._commands.popleft() if self._commands else None

    # Previews.

    @property
    def preview(self) -> Preview | None:
        """The newest preview of the job that runs or ran last."""
        with self._lock:
            return self._preview

    def set_current_image(self) -> None:
        """Make a preview if enough steps went by since the last one. Pollers may call this as often as they like."""
        with self._lock:
            every = self.preview_every_n_steps
            steps: int = self._values["sampling_step"] - self._values["current_image_sampling_step"]
        if every >= 0 and steps >= max(every, 1):
            self.do_set_current_image()

    def do_set_current_image(self) -> None:
        """Decode `current_latent` with `preview_decoder` into `current_image`; without one of them nothing happens.

        A decode that fails is told once a job and never breaks it; after three, no more are tried in that job.
        """
        if not self._decoding.acquire(blocking=False):
            return  # Another thread is at it and will assign the same image.
        try:
            with self._lock:
                latent, decoder, failures = self.current_latent, self.preview_decoder, self._decode_failures
                token, index, step = (self._values[name] for name in ("begun", "image_index", "sampling_step"))
            if latent is None or decoder is None or failures >= _DECODE_FAILURES_BEFORE_PREVIEWS_STOP:
                return
            try:
                image = decoder(latent)
                encoded = None if image is None else self._encoded(image)
            except Exception as error:
                self._note_failed_decode(token, error)
                return
            if image is None:
                return
            if self.assign_current_image(image, encoded, token=token, image_index=index, step=step):
                with self._lock:
                    # A smaller step is one of the next image, of which nothing is shown yet.
                    if token == self._values["begun"] and self._values["sampling_step"] >= step:
                        self._change({"current_image_sampling_step": step})
        finally:
            self._decoding.release()

    def assign_current_image(
        self,
        image: Image | None,
        encoded: tuple[str, bytes] | None = None,
        *,
        token: int | None = None,
        image_index: int | None = None,
        step: int | None = None,
    ) -> bool:
        """Show `image` as the newest preview; with `encoded` (media type, bytes) other processes see it too.

        Where it is left out `preview_encoder` makes it, if there is one. With the `token` of `begin` an image that
        comes after the next job began is dropped (False). `image_index` and `step` say what it shows where that is no
        longer what is drawn now.
        """
        if encoded is None and image is not None:
            encoded = self._encoded(image)
        with self._lock:
            values = self._values
            if token not in (None, values["begun"]):
                return False
            number: int = values["id_live_preview"] + 1
            self.current_image = image
            self._change({"id_live_preview": number})
            if encoded is not None:
                index: int = values["image_index"] if image_index is None else image_index
                shown: int = values["sampling_step"] if step is None else step
                self._preview = Preview(number, values["begun_job"], index, shown, *encoded, self.engine)
                if self.preview_observer is not None:
                    self.preview_observer(self._preview)
        return True

    def _encoded(self, image: Image) -> tuple[str, bytes] | None:
        return None if self.preview_encoder is None else self.preview_encoder(image)

    def _note_failed_decode(self, token: int, error: Exception) -> None:
        with self._lock:
            if token != self._values["begun"]:
                return
            self._decode_failures += 1
            first = self._decode_failures == 1
        if first:
            logger.warning("A preview could not be decoded (the job goes on): %s", error, exc_info=error)

    # Changes, from here and from other processes.

    def apply(self, fields: Mapping[str, object]) -> None:
        """Take over fields that another process changed, without telling the observer. Unknown names are left out."""
        with self._lock:
            known = {name: value for name, value in fields.items() if name in _FIELDS}
            for name in ("id_live_preview", "begun"):
                if name in known:
                    known[name] = max(self._values[name], known[name])
            if known.get("begun", self._values["begun"]) != self._values["begun"]:
                self.current_image = None
                self._preview = None
            self._values.update(known)

    def apply_preview(self, preview: Preview) -> bool:
        """Take over a preview that another process made; one that is older or of another job is dropped (False)."""
        with self._lock:
            newest = self._preview.id if self._preview else 0
            if preview.id <= newest or preview.job != self._values["begun_job"]:
                return False
            self._preview = preview
            self._values["id_live_preview"] = max(self._values["id_live_preview"], preview.id)
            return True

    def _change(self, fields: Mapping[str, object]) -> None:
        """Write fields; the caller holds the lock."""
        changed = {name: value for name, value in fields.items() if self._values[name] != value}
        self._values.update(changed)
        if changed and self.observer is not None:
            self.observer(changed)


_FIELDS: dict[str, _Shared[Any]] = {name: field for name, field in vars(State).items() if isinstance(field, _Shared)}
