"""The models as the Models tab and REST clients name them: each has an id, so that no client ever sends a path."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.api.answers import Refused
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import label_of
from modules.jobs.models.file_catalogue import FILE_KINDS
from modules.jobs.models.model_file import LABELS, ModelFile
from modules.jobs.models.network_facts import NetworkFacts
from modules.jobs.models.networks import LoraNames
from modules.jobs.models.places import Kind

# In the order in which they are offered.
KIND_LABELS: Mapping[Kind, str] = {
    "checkpoint": "Checkpoints",
    "lora": "LoRAs",
    "embedding": "Embeddings",
    "vae": "VAEs",
    "text_encoder": "Text encoders",
    "controlnet": "ControlNets",
    "upscaler": "Upscalers",
    "face_restorer": "Face restorers",
    "tiny_decoder": "Small decoders",
}
_ID_LENGTH = 20


@dataclass(frozen=True)
class Entry:
    """A model with what is known of it. `names` are all by which a job may mean it; `modified_at` is in seconds.

    `family_label` is its family in words, `model_label` with its variant. `file` is what is known of one that is used
    together with a model; `called` by what a prompt calls a LoRA or an embedding, `alias` by what else.
    """

    id: str
    kind: Kind
    name: str
    path: Path
    names: frozenset[str]
    title: str
    sha256: str | None
    family: str
    family_label: str
    model_label: str
    variant: str
    number_format: str
    size_bytes: int
    modified_at: float
    problem: str | None
    file: ModelFile | None = None
    called: str = ""
    alias: str = ""

    @functools.cached_property
    def searched(self) -> str:
        """What a search looks through, in lower case."""
        label, network = LABELS[self.kind][0], self.network
        own = f"{network.alias} {network.trigger}" if network is not None else ""
        return f"{self.name} {label} {self.family_label} {self.model_label} {self.sha256 or ''} {own}".casefold()

    @property
    def network(self) -> NetworkFacts | None:
        """What the header of a LoRA or an embedding tells."""
        return None if self.file is None else self.file.network

    @property
    def stem(self) -> str:
        """The name of its file or folder without suffix: that with which the names of its side-cars begin."""
        return self.path.name if self.path.is_dir() else self.path.stem


class Entries:
    """All models of a catalogue: those to draw with, then the files of each other kind, by name. Any thread.

    Thousands of them are made once, until the catalogue knows something otherwise.
    """

    def __init__(self, catalogue: CheckpointCatalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._revision: int | None = None
        self._by_id: dict[str, Entry] = {}

    def all(self) -> Collection[Entry]:
        """Return them as they are known now."""
        return self.by_id().values()

    def find(self, model_id: str) -> Entry:
        """Return the model with this id.

        Raises:
            Refused: 404, there is none, or not any more.
        """
        found = self.by_id().get(model_id)
        if found is not None:
            return found
        raise Refused(404, f"There is no model {model_id!r}, or not any more: GET /sdapi/v1/models lists them.")

    def by_id(self) -> Mapping[str, Entry]:
        """Return them by their ids; as long as nothing is otherwise it is the same object."""
        self._catalogue.files.look_for_all()
        with self._lock:
            revision = self._catalogue.revision
            if revision != self._revision:
                made = [_of_checkpoint(one) for one in self._catalogue.list()]
                names = self._catalogue.networks.names()
                made += [_of_file(file, names) for kind in FILE_KINDS for file in self._catalogue.files.list(kind)]
                self._revision, self._by_id = revision, {entry.id: entry for entry in made}
            return self._by_id


def _of_checkpoint(checkpoint: Checkpoint) -> Entry:
    return Entry(
        id=_id_of("checkpoint", checkpoint.path),
        kind="checkpoint",
        name=checkpoint.name,
        path=checkpoint.path,
        names=frozenset((checkpoint.name, checkpoint.name_without_suffix, *checkpoint.names)),
        title=checkpoint.title,
        sha256=checkpoint.sha256,
        family=checkpoint.family,
        family_label=label_of(checkpoint.family),
        model_label=label_of(checkpoint.family, checkpoint.variant),
        variant=checkpoint.variant,
        number_format=checkpoint.number_format,
        size_bytes=checkpoint.size_bytes,
        modified_at=checkpoint.modified_at,
        problem=checkpoint.problem,
    )


def _of_file(file: ModelFile, names: LoraNames) -> Entry:
    called = alias = file.stem if file.kind == "embedding" else ""
    if file.kind == "lora":
        called, alias = names.name_of(file), names.name_of(file, by_alias=True)
    own = (file.name, file.name_without_suffix, file.path.name, file.path.stem)
    return Entry(
        id=_id_of(file.kind, file.path),
        kind=file.kind,
        name=file.name,
        path=file.path,
        names=frozenset((*own, *file.names)),
        title=file.title,
        sha256=file.sha256,
        family=file.family,
        family_label=label_of(file.family),
        model_label=label_of(file.family, file.variant) or file.does,
        variant=file.variant,
        number_format=file.number_format,
        size_bytes=file.size_bytes,
        modified_at=file.modified_at,
        problem=file.problem,
        file=file,
        called=called,
        alias=alias,
    )


def _id_of(kind: Kind, path: Path) -> str:
    return hashlib.sha256(f"{kind}\0{path}".encode(errors="surrogateescape")).hexdigest()[:_ID_LENGTH]
