"""What the routes work with."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

from modules.api.auth.permission import Permission
from modules.api.jobs.stop_requests import StopRequests
from modules.api.live.broadcaster import Broadcaster
from modules.api.live.model_watch import ModelWatch
from modules.api.live.watchers import Watchers
from modules.api.models.downloads import Downloads
from modules.api.models.hub_token import HubToken
from modules.api.models.library import Library
from modules.api.page.identity import Identity
from modules.api.server.graceful_shutdown import GracefulShutdown
from modules.api.server.threads import Workers
from modules.cmd_args import Arguments
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.intake import Intake
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import QueueLimits
from modules.jobs.store.job_store import JobStore
from modules.link import Link
from modules.link.noticeboards import Noticeboards
from modules.options import Options
from modules.paths import DataFolder
from modules.shared_state import State


@dataclass(frozen=True)
class Services:
    """The parts of the server process. `link` is None when no launcher is there: then nothing draws, all else works.

    `state` is the first of the `noticeboards`, which are the engines'.
    """

    store: JobStore
    catalogue: CheckpointCatalogue
    inputs: Inputs
    intake: Intake
    library: Library
    downloads: Downloads
    options: Options
    state: State
    noticeboards: Noticeboards
    link: Link | None
    arguments: Arguments
    folder: DataFolder
    identity: Identity
    workers: Workers
    broadcaster: Broadcaster
    stops: StopRequests
    permission: Permission
    shutdown: GracefulShutdown
    watchers: Watchers
    model_watch: ModelWatch


def build_services(
    *,
    store: JobStore,
    catalogue: CheckpointCatalogue,
    options: Options,
    state: State,
    link: Link | None,
    arguments: Arguments,
    folder: DataFolder,
    stops: StopRequests,
    identity: Identity,
    intake: Intake | None = None,
) -> Services:
    """Join the parts: stop buttons become stored requests; every commit is told to the engine and to who watches."""
    workers = Workers()
    intake = intake or Intake(Inputs(folder.inputs), store)

    def notices() -> list[str]:
        return [*options.notices, *store.database.notices]

    broadcaster = Broadcaster(store, stops.noticeboards, link, workers, identity, notices)
    state.stops = stops

    def announce(number: int) -> None:
        if link is not None:
            link.publish("events", number)
        broadcaster.wake()

    def limits() -> QueueLimits:
        options.refresh()
        return QueueLimits(options.values.queue_limit, options.values.queue_limit_per_owner)

    store.database.announce = announce
    store.queue.limits = limits
    return Services(
        store=store,
        catalogue=catalogue,
        inputs=intake.inputs,
        intake=intake,
        library=Library(catalogue, store, options),
        downloads=_downloads(catalogue, options, folder, link),
        options=options,
        state=state,
        noticeboards=stops.noticeboards,
        link=link,
        arguments=arguments,
        folder=folder,
        identity=identity,
        workers=workers,
        broadcaster=broadcaster,
        stops=stops,
        permission=stops.permission,
        shutdown=GracefulShutdown(),
        watchers=Watchers(),
        model_watch=_watch_models(catalogue, broadcaster),
    )


def _downloads(catalogue: CheckpointCatalogue, options: Options, folder: DataFolder, link: Link | None) -> Downloads:
    return Downloads(
        folder.downloads,
        catalogue.folders[:2][-1],  # a folder that people named is where they want their models
        options,
        HubToken(folder.hub_token),
        run_of_the_program(link),
        catalogue.refresh,
    )


def run_of_the_program(link: Link | None) -> str:
    """Return what tells one run of the program, over all restarts of its server, from the next."""
    process = psutil.Process(os.getpid() if link is None else os.getppid())
    return f"{process.pid}-{process.create_time():.2f}"


def _watch_models(catalogue: CheckpointCatalogue, broadcaster: Broadcaster) -> ModelWatch:
    return ModelWatch(
        catalogue,
        broadcaster.tell_models,
        watched=lambda: broadcaster.watched,
        idle=lambda: not (broadcaster.queue.running or broadcaster.queue.total),
    )
