"""The live stream as a guest sees it: his own jobs, and of all else no more than that the engine is busy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import Any

import orjson

from modules.api.live.messages import text_of
from modules.api.live.subscription import Message

Content = dict[str, Any]

# What these kinds of events tell is not of a job.
OF_NO_JOB = ("settings", "queue")


class GuestView:
    """Rewrites messages for the guest who owns `own` jobs as `owner`. One for each stream."""

    def __init__(self, owner: str, own: Iterable[str]) -> None:
        self._owner = owner
        self._own = set(own)

    async def follow(self, stream: AsyncGenerator[Message, None]) -> AsyncGenerator[Message, None]:
        """Yield each message of the stream as the guest sees it."""
        async for message in stream:
            yield self.told(message)

    def told(self, message: Message) -> Message:
        """Return the message as the guest sees it. Its number stays: he may come back with it."""
        content: Content = orjson.loads(message.text)
        return Message(text_of(self._shown(content, message.owner)), message.number)

    def _shown(self, content: Content, owner: str | None) -> Content:
        kind = content["type"]
        if kind == "event":
            content = self._event(content, owner)
        elif kind == "snapshot":
            content = self._snapshot(content)
        for topic in ("progress", "heartbeat", "preview"):
            if topic in content and not self._is_own(content[topic]):
                content[topic] = None
        if content.get("supervisor"):
            content["supervisor"] = _without_logs(content["supervisor"])
        if "queue" in content:  # places stay what they are
            content["queue"] = [id if id in self._own else "" for id in content["queue"]]
        return content

    def _event(self, content: Content, owner: str | None) -> Content:
        id = content["job_id"]
        if owner == self._owner and id is not None:
            self._own.add(id)
        if id in self._own:
            return content
        kind = content["kind"] if content["kind"] in OF_NO_JOB else "queue"
        told: Content = {"kind": kind, "job_id": None, "job": None, "payload": {}}
        of_the_queue: Content = {key: content[key] for key in ("queued", "queue", "queue_paused") if key in content}
        return {"type": "event", "number": content["number"], "at": content["at"], **told, **of_the_queue}

    def _snapshot(self, content: Content) -> Content:
        for name in ("job", "running"):
            job = content[name]
            if job is not None and job["owner"] != self._owner:
                content[name] = None
            elif job is not None:
                self._own.add(job["id"])
        return content | {"notices": []}

    def _is_own(self, value: Any) -> bool:
        return isinstance(value, dict) and value.get("job") in self._own


def _without_logs(supervisor: Content) -> Content:
    """A log may name files and jobs of others."""
    return {
        name: value | {"log": []} if isinstance(value, dict) and "log" in value else value
        for name, value in supervisor.items()
    }
