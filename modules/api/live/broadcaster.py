"""The live stream: one task reads what happened, once, for all who watch.

Events come from the database: the link says that there are new ones, and `data_version` is looked at as well in case it
did not. Progress, previews and the state of the processes come by the link alone; only the newest of each counts.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from modules.api.live.fan_out import FanOut
from modules.api.live.messages import (
    MOST_EVENTS_AT_ONCE,
    Beginning,
    Delivery,
    News,
    QueueNow,
    read_beginning,
    read_missed,
    read_news,
    read_queue,
    text_of,
)
from modules.api.live.subscription import Message, Subscription
from modules.api.page.identity import Identity
from modules.api.server.threads import Workers
from modules.jobs.store.file import DatabaseReplaced
from modules.jobs.store.job_store import JobStore
from modules.link import Link
from modules.link.noticeboards import Noticeboards
from modules.link.topics import HEARTBEAT, PROGRESS, STATUS, name_and_engine, topic_of
from modules.shared_state import FIRST_ENGINE, Preview

logger = logging.getLogger(__name__)

LOST = "lost"  # how a job ended whose database is gone
POLL_SECONDS = 0.5
SETTLE_SECONDS = 0.5
LONGEST_REST_SECONDS = 0.05
LEAVING = Message(text_of({"type": "leaving"}))
OF_ENGINES = (PROGRESS, STATUS, HEARTBEAT)
SUPERVISOR = "supervisor"
MODELS = "models"


class Broadcaster:
    """Tells every subscriber what happens and every waiting client that its job has ended.

    Event loop only, except for `wake` and the handlers given to the link. `notices` returns what to tell the user.
    """

    def __init__(
        self,
        store: JobStore,
        noticeboards: Noticeboards,
        link: Link | None,
        workers: Workers,
        identity: Identity,
        notices: Callable[[], list[str]] = list,
    ) -> None:
        self._store, self._noticeboards, self._link, self._workers = store, noticeboards, link, workers
        self._identity, self._notices = identity, notices
        self._subscriptions: set[Subscription] = set()
        self._fan_out = FanOut(self._subscriptions)
        self._waiting: dict[str, set[asyncio.Future[str]]] = {}
        self._topics: dict[str, Any] = {}
        self._number = 0
        self._data_version = 0
        self._announced = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving = self._lost = False
        self._models: str | None = None
        self.queue = QueueNow(0, (), 0, False)
        self.engine_given_up = asyncio.Event()

    def topic(self, name: str, job: str | None = None) -> Any:
        """Return the newest value of a topic, of the engine that runs `job` or else of the first; None: there is none.

        The topics are `SUPERVISOR` and those `OF_ENGINES`.
        """
        return self._topics.get(topic_of(name, self._noticeboards.of_job(job).engine))

    async def start(self) -> None:
        """Begin to watch. Events from now on are told."""
        self._loop = asyncio.get_running_loop()
        self._number = await self._workers.run_poll(self._store.events.last)
        self._data_version = await self._workers.run_poll(self._store.database.data_version)
        self.queue = await self._workers.run_poll(read_queue, self._store)
        if self._link is not None:
            self._listen_to(self._link)
            self._link.publish("queue", self.queue.counts)
        self._task = asyncio.create_task(self._watch(), name="broadcaster")

    async def stop(self) -> None:
        """End all streams and watch no more."""
        self.leave()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def leave(self) -> None:
        """Tell every subscriber that this server goes, and end its stream. Who waits for a job is still answered."""
        self._leaving = True
        self._fan_out.close()
        for subscription in self._subscriptions:
            subscription.put(LEAVING)
            subscription.end()

    def wake(self, number: int | None = None) -> None:
        """Look for events now. Any thread."""
        self._call(self._announced.set)

    @property
    def watched(self) -> bool:
        """Whether anybody follows. Any thread."""
        return bool(self._subscriptions)

    def tell_models(self, token: str) -> None:
        """Say that the models are not those of before; `token` stands for those of now. Any thread."""
        self._models = token
        self._call(self._fan_out.tell, MODELS, Message(text_of({"type": MODELS, MODELS: token})))

    def expect(self, job_id: str) -> asyncio.Future[str]:
        """Return a future for the status with which the job ends. Ask before it can end, and `forget` it after."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, set()).add(future)
        return future

    def forget(self, job_id: str, future: asyncio.Future[str]) -> None:
        """Wait no more."""
        future.cancel()
        waiting = self._waiting.get(job_id, set())
        waiting.discard(future)
        if not waiting:
            self._waiting.pop(job_id, None)

    async def follow(
        self,
        owner: str | None,
        after: int | None = None,
        rights: Mapping[str, Any] | None = None,
        *,
        only_own: bool = False,
    ) -> AsyncGenerator[Message, None]:
        """Yield a snapshot for `owner`, all events missed since `after`, then all that happens here.

        `rights` are told with the snapshot; with `only_own` it begins with no job of others. When those events are not
        known any more, a "reset" comes first: the reader is to forget what it knows.
        """
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            if self._leaving:
                yield LEAVING
                return
            beginning = await self._workers.run(read_beginning, self._store, owner, after, only_own=only_own)
            subscription.skip_to(beginning.number)
            if beginning.reset is not None:
                yield beginning.reset
            yield self._snapshot(beginning, rights)
            number = beginning.number if beginning.replay is None else beginning.replay
            while missed := await self._workers.run(read_missed, self._store, number, beginning.number):
                for message in missed:
                    yield message
                    number = message.number or number
            while (following := await subscription.next()) is not None:
                yield following
        finally:
            self._subscriptions.discard(subscription)

    def _snapshot(self, beginning: Beginning, rights: Mapping[str, Any] | None) -> Message:
        """Numbered like the last event it covers; by `replay` if missed events follow: they may be asked for again."""
        job = None if beginning.job is None else beginning.job["id"]
        preview = self._newest_preview(job)
        content = {
            "type": "snapshot",
            "events": beginning.number,
            "replay": beginning.replay,
            "instance": self._identity.instance,
            "page": self._identity.page,
            "server": {"pid": os.getpid(), "started_at": self._noticeboards.first.server_start},
            "job": beginning.job,
            "running": beginning.running,
            **beginning.queue.told,
            **{name: _told_topic(name, self.topic(name, job)) for name in OF_ENGINES},
            SUPERVISOR: self.topic(SUPERVISOR),
            "preview": None if preview is None else _preview_content(preview),
            MODELS: self._models,
            "notices": self._notices(),
            "rights": rights,
        }
        return Message(text_of(content), beginning.number if beginning.replay is None else beginning.replay)

    def _newest_preview(self, job: str | None) -> Preview | None:
        """Return the preview of `job` or else of the job that the first engine runs, for those who come now."""
        state = self._noticeboards.of_job(job)
        preview = state.preview
        return preview if preview is not None and state.running and preview.job == state.begun_job else None

    def _listen_to(self, link: Link) -> None:
        for topic, value in link.topics.items():
            if name_and_engine(topic)[0] in (*OF_ENGINES, SUPERVISOR):
                self._take_topic(topic, value)
        for name in (*OF_ENGINES, SUPERVISOR):
            link.on_topic_of_engines(name, self._topic_handler(name))
        link.on_topic("events", lambda number: self.wake())
        link.on_preview(lambda preview: self._call(self._on_preview, preview))

    def _topic_handler(self, name: str) -> Callable[[str, Any], None]:
        return lambda engine, value: self._call(self._on_topic, name, value, engine)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call on the event loop, from any thread; a loop that has ended needs nothing."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function, *arguments)

    def _take_topic(self, topic: str, value: Any) -> None:
        self._topics[topic] = value
        if topic == SUPERVISOR:
            engines = [report for name, report in (value or {}).items() if name_and_engine(name)[0] == "engine"]
            given_up = bool(engines) and all((report or {}).get("status") == "given_up" for report in engines)
            (self.engine_given_up.set if given_up else self.engine_given_up.clear)()

    def _on_topic(self, name: str, value: Any, engine: str = FIRST_ENGINE) -> None:
        topic = topic_of(name, engine)
        self._take_topic(topic, value)
        content = {"type": name, name: _told_topic(name, value)} | _told_engine(engine)
        self._fan_out.tell(topic, Message(text_of(content)))

    def _on_preview(self, preview: Preview) -> None:
        if self._subscriptions:
            content = {"type": "preview", "preview": _preview_content(preview)} | _told_engine(preview.engine)
            self._fan_out.tell(topic_of("preview", preview.engine), Message(text_of(content)))

    async def _watch(self) -> None:
        while True:
            try:
                if await self._something_happened():
                    began = time.monotonic()
                    await self._deliver()
                    # While much happens half of the time is left to those who bring it about.
                    await asyncio.sleep(min(time.monotonic() - began, LONGEST_REST_SECONDS))
            except DatabaseReplaced as error:
                self._lose_database(error)
                await asyncio.sleep(1)
            except Exception:
                logger.exception("Reading events failed; trying again in a second.")
                await asyncio.sleep(1)

    def _lose_database(self, error: DatabaseReplaced) -> None:
        """Answer who waits for jobs of a database that is gone, and have another server open what is there now."""
        for job_id in list(self._waiting):
            self._answer_waiting(job_id, LOST)
        if not self._lost:
            self._lost = True
            logger.error("%s", error)
            if self._link is not None and not self._leaving:
                self._noticeboards.first.server_command = "restart"

    async def _something_happened(self) -> bool:
        announced = False
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._announced.wait()
            announced = True
        self._announced.clear()
        version = await self._workers.run_poll(self._store.database.data_version)
        changed, self._data_version = version != self._data_version, version
        return changed or announced

    async def _deliver(self) -> None:
        while True:
            news: News = await self._workers.run_poll(read_news, self._store, self._number)
            if news.queue is not None:
                self._take_queue(news.queue)
            if news.deliveries and (first := news.deliveries[0].event.number) > self._number + 1:
                await self._make_up_for_a_gap(first - 1)
            for delivery in news.deliveries:
                await self._tell(delivery)
                self._number = delivery.event.number
            if len(news.deliveries) < MOST_EVENTS_AT_ONCE:
                return

    async def _make_up_for_a_gap(self, until: int) -> None:
        """Events up to `until` were compacted away before this process read them, as after a long sleep of it alone.

        Readers begin anew; who waits for a job that has ended in the gap is answered.
        """
        for subscription in self._subscriptions:
            subscription.lose(until)
        self._take_queue(await self._workers.run_poll(read_queue, self._store))
        jobs = await self._workers.run_poll(self._store.jobs.by_ids, list(self._waiting))
        for job in jobs.values():
            if job.finished:
                self._answer_waiting(job.id, job.status)

    def _answer_waiting(self, job_id: str, ended: str) -> None:
        for future in self._waiting.pop(job_id, set()):
            if not future.done():
                future.set_result(ended)

    def _take_queue(self, queue: QueueNow) -> None:
        if self._link is not None and queue.counts != self.queue.counts:
            self._link.publish("queue", queue.counts)
        self.queue = queue

    async def _tell(self, delivery: Delivery) -> None:
        job_id = delivery.event.job_id
        if delivery.ended is not None and job_id is not None:
            await self._settle(job_id)
        for subscription in self._subscriptions:
            subscription.put(delivery.message)
        if delivery.ended is not None and job_id is not None:
            self._answer_waiting(job_id, delivery.ended)

    async def _settle(self, job_id: str) -> None:
        """Wait until the noticeboard, too, says that the job is over.

        The engine tells that first, but by the link, and this reader may see the row before the link's message. Who
        asks for the progress right after an answer must not find the job still running. An engine that died says
        nothing: hence the limit.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        state = self._noticeboards.of_job(job_id)
        while state.running and state.begun_job == job_id and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def data_uri(preview: Preview) -> str:
    """Return a preview's picture as a browser takes it."""
    return f"data:{preview.media_type};base64,{base64.b64encode(preview.data).decode('ascii')}"


def _told_engine(engine: str) -> dict[str, str]:
    """Return how a message says of which engine it is; one of the first says nothing."""
    return {} if engine == FIRST_ENGINE else {"engine_id": engine}


def _told_topic(name: str, value: Any) -> Any:
    """Return a topic as readers get it. They cannot compare the engine's clock with theirs, so silence is counted."""
    if name != HEARTBEAT or not value or value.get("at") is None:
        return value
    return value | {"silent_seconds": round(max(0.0, time.monotonic() - value["at"]), 3)}


def _preview_content(preview: Preview) -> dict[str, Any]:
    return {
        "id": preview.id,
        "job": preview.job,
        "image": preview.image,
        "step": preview.step,
        "data": data_uri(preview),
    }
