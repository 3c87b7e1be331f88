"""Which files of a repository are fetched: what drawing needs, never a pickle nor code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from modules.errors import SteadyError
from modules.hub.address import WEIGHTS, is_plain_path
from modules.jobs.models.weight_files import loaded_components

INDEX = "model_index.json"
_TEXTS = (".json", ".txt", ".model")
_ABOUT = re.compile(r"(README|LICENSE)[\w.-]*", re.IGNORECASE)  # what the model is, and what one may do with it
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_VARIANT = re.compile(r"\.(fp16|bf16|ema_only|non_ema|ema|fp32|int8)(?=[.-])")
_LARGEST_TEXT_BYTES = 100_000_000
_MOST_CHOICES = 60


class NoPlan(SteadyError):  # noqa: N818  (an answer, not a fault)
    """Nothing can be fetched as it was asked for. `choices` are files of which one can be."""

    def __init__(self, message: str, choices: Sequence[RemoteFile] = ()) -> None:
        super().__init__(message)
        self.choices = tuple(choices)


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. `sha256` is known of large ones, `blob` (git's SHA-1) of the others."""

    path: str
    size: int
    sha256: str | None = None
    blob: str | None = None


@dataclass(frozen=True)
class Plan:
    """What is fetched, as of one commit. `whole`: the files are a model in diffusers layout, else it is one file."""

    repo: str
    commit: str
    whole: bool
    files: tuple[RemoteFile, ...]

    @property
    def total_bytes(self) -> int:
        """How much that is."""
        return sum(file.size for file in self.files)

    @property
    def name(self) -> str:
        """What it is to be called: as the repository, or as the file."""
        return self.repo.rpartition("/")[2] if self.whole else PurePosixPath(self.files[0].path).name

    def to_json(self) -> dict[str, Any]:
        """Return it as it is written down for the next try."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            LookupError, TypeError, ValueError: it is something else.
        """
        files = tuple(RemoteFile(**file) for file in told["files"])
        if not files or not all(is_plain_path(file.path) and file.size >= 0 for file in files):
            raise ValueError("names no files")
        return cls(str(told["repo"]), str(told["commit"]), bool(told["whole"]), files)


def plan_file(repo: str, commit: str, path: str, listed: Sequence[RemoteFile]) -> Plan:
    """Return the plan for one file.

    Raises:
        NoPlan: the repository has no such file.
    """
    found = next((file for file in listed if file.path == path), None)
    if found is None:
        raise NoPlan(f"{repo} has no file {path}: choose one that it has.", _weights(listed))
    return Plan(repo, commit, False, (found,))


def plan_single(repo: str, commit: str, listed: Sequence[RemoteFile]) -> Plan:
    """Return the plan for a repository that is no model in diffusers layout: its one file with weights.

    Raises:
        NoPlan: it has several, of which one is to be chosen, or none.
    """
    weights = _weights(listed)
    if len(weights) == 1:
        return Plan(repo, commit, False, (weights[0],))
    if weights:
        raise NoPlan(f"{repo} has {len(weights)} files with weights: choose one.", weights[:_MOST_CHOICES])
    pickles = [file.path for file in listed if file.path.lower().endswith(_PICKLES)]
    if pickles:
        raise NoPlan(f"{repo} has weights as pickles alone ({pickles[0]}), which can run code: choose a safetensors.")
    raise NoPlan(f"{repo} has no weights that this program reads ({', '.join(WEIGHTS)}): choose another repository.")


def plan_whole(
    repo: str, commit: str, index: Mapping[str, object], listed: Sequence[RemoteFile], *, half: bool
) -> Plan:
    """Return the plan for a model in diffusers layout: its parts, each once. With `half` those of fp16 where there are.

    Raises:
        NoPlan: a part is there only as a pickle, or not at all.
    """
    files = [file for file in listed if file.path == INDEX or ("/" not in file.path and _ABOUT.fullmatch(file.path))]
    for part in loaded_components(index):
        inside = [file for file in listed if file.path.startswith(f"{part}/") and file.path.count("/") == 1]
        texts = [file for file in inside if file.path.endswith(_TEXTS) and file.size <= _LARGEST_TEXT_BYTES]
        weights = _chosen([file for file in inside if file.path.endswith(".safetensors")], half=half)
        if not weights and (pickle := next((file for file in inside if file.path.endswith(_PICKLES)), None)):
            raise NoPlan(
                f"{repo} has {pickle.path} as a pickle alone, which can run code: choose a repository with safetensors."
            )
        if not inside:
            raise NoPlan(f"{repo} names a part {part} and does not have it: choose another repository.")
        files += [file for file in texts if _suits(file, weights)] + weights
    return Plan(repo, commit, True, tuple(file for file in files if is_plain_path(file.path)))


def _weights(listed: Sequence[RemoteFile]) -> list[RemoteFile]:
    return [file for file in listed if file.path.lower().endswith(WEIGHTS) and is_plain_path(file.path)]


def _variant_of(path: str) -> str:
    found = _VARIANT.search(PurePosixPath(path).name)
    return found.group(1) if found else ""


def _chosen(weights: Sequence[RemoteFile], *, half: bool) -> list[RemoteFile]:
    """Return the files of one variant of a part's weights."""
    kinds: dict[str, list[RemoteFile]] = {}
    for file in weights:
        kinds.setdefault(_variant_of(file.path), []).append(file)
    order = ("fp16", "bf16", "") if half else ("", "fp16", "bf16")
    return next((kinds[kind] for kind in order if kind in kinds), next(iter(kinds.values()), []))


def _suits(text: RemoteFile, weights: Sequence[RemoteFile]) -> bool:
    """Tell whether a text is wanted: the list of parts of split weights only with the variant that it lists."""
    if not text.path.endswith(".index.json"):
        return True
    if ".safetensors." not in PurePosixPath(text.path).name:
        return False
    return _variant_of(text.path) in {_variant_of(file.path) for file in weights} and len(weights) > 1
