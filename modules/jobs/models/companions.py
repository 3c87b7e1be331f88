"""The files beside a model that it is drawn with: text encoders and a VAE that are not inside its own file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modules.errors import InvalidRequest
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.detection.companions import say_missing
from modules.jobs.models.detection.detect import detect
from modules.jobs.models.families import facts_of, label_of
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.places import Kind

VAE = "vae"
# Which numbers are preferred, of files that are the same otherwise: as the encoders were published, then larger ones,
# then those with less in them.
_FORMATS = ("bf16", "fp16", "fp32", "fp8_e4m3fn_scaled", "fp8_e5m2_scaled", "fp8_e4m3fn", "fp8_e5m2")
_UNUSUAL = ("long",)  # variants of an encoder that take other lengths
# A VAE whose shapes are those of two families is told by its name. Of one without a word in it people may know better.
_ALIKE: Mapping[str, str] = {"sdxl": "sd", "sd3": "flux"}


class Companions:
    """The files that may be companions, as they were at one moment, the preferred ones first."""

    def __init__(self, encoders: Iterable[ModelFile], vaes: Iterable[ModelFile]) -> None:
        self._encoders = _by_what_they_do(encoders, "text_encoder")
        self._vaes = _by_what_they_do(vaes, "vae")

    def complete(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a checkpoint with the files that it needs, or with the problem that one is nowhere."""
        if checkpoint.kind != "file" or checkpoint.problem is not None or not checkpoint.family:
            return checkpoint
        parts: dict[str, Path] = {}
        for part, does in checkpoint.needs.items():
            found = self._vae(does, checkpoint.path) if part == VAE else self._encoder(does)
            if found is None:
                return replace(checkpoint, problem=f"{checkpoint.path}: {say_missing(part, does)}")
            parts[part] = found.path
        parts.update(self._optional(checkpoint))
        return replace(checkpoint, parts=parts) if parts else checkpoint

    def _optional(self, checkpoint: Checkpoint) -> dict[str, Path]:
        """Return the encoders that it can do without, where they are there and it has none inside."""
        facts = facts_of(checkpoint.family, checkpoint.variant)
        if facts is None or not facts.optional_encoders:
            return {}
        found = {part: self._encoder(facts.text_encoders[part]) for part in facts.optional_encoders}
        if not any(found.values()):
            return {}
        try:
            inside = detect(checkpoint.path).parts
        except (OSError, ValueError):
            return {}
        return {part: file.path for part, file in found.items() if file is not None and part not in inside}

    def _encoder(self, does: str) -> ModelFile | None:
        return next(iter(self._encoders.get(does, ())), None)

    def _vae(self, does: str, path: Path) -> ModelFile | None:
        """Return the VAE that has the model's name, else the preferred one of those that do."""
        fitting = self._vaes.get(does, ())
        stem = path.stem.casefold()
        own = (one for one in fitting if one.path.name.casefold().startswith(f"{stem}."))
        return next(own, next(iter(fitting), None))


def with_parts(checkpoint: Checkpoint, files: Sequence[ModelFile]) -> Checkpoint:
    """Return a checkpoint that is drawn with these text encoders and VAEs, whatever else lies there or is inside it.

    Raises:
        InvalidRequest: one cannot be used, or is none that its family is drawn with.
    """
    facts = facts_of(checkpoint.family, checkpoint.variant)
    if checkpoint.kind != "file" or facts is None:
        raise InvalidRequest(f"{checkpoint.name} has all its parts, so no files can be chosen for them.")
    parts = dict(checkpoint.parts)
    chosen: dict[str, ModelFile] = {}
    for file in files:
        if file.problem is not None:
            raise InvalidRequest(f"{file.name} cannot be used: {file.problem}")
        wanted = [part for part, does in facts.text_encoders.items() if does == file.does]
        if file.role == "vae" and (file.does == facts.vae or file.does == _ALIKE.get(facts.vae)):
            wanted = [VAE]
        elif file.role != "text_encoder" or not wanted:
            usual = ", ".join([*facts.text_encoders.values(), f"a VAE {facts.vae}"])
            label = label_of(checkpoint.family, checkpoint.variant)
            raise InvalidRequest(f"{file.name} does not go with {checkpoint.name}: {label} is drawn with {usual}.")
        for part in wanted:
            if (other := chosen.setdefault(part, file)).path != file.path:
                raise InvalidRequest(f"{other.name} and {file.name} do the same for {checkpoint.name}: leave one out.")
            parts[part] = file.path
    return with_exactly(checkpoint, parts)


def with_exactly(checkpoint: Checkpoint, parts: Mapping[str, Path]) -> Checkpoint:
    """Return a checkpoint that is drawn with these files beside it and no others; what it lacks is its problem."""
    missing = [(part, does) for part, does in checkpoint.needs.items() if part not in parts]
    problem = f"{checkpoint.path}: {say_missing(*missing[0])}" if missing else None
    return replace(checkpoint, parts=dict(parts), problem=problem)


def kind_of_part(part: str) -> Kind:
    """Return of which kind the files are that can be this part of a pipeline."""
    return "vae" if part == VAE else "text_encoder"


def _by_what_they_do(files: Iterable[ModelFile], role: str) -> dict[str, list[ModelFile]]:
    known: dict[str, list[ModelFile]] = {}
    for file in sorted(files, key=_preference):
        if file.problem is None and file.role == role:
            known.setdefault(file.does, []).append(file)
    return known


def _preference(file: ModelFile) -> tuple[bool, int, str]:
    number = _FORMATS.index(file.number_format) if file.number_format in _FORMATS else len(_FORMATS)
    return file.variant in _UNUSUAL, number, file.name.casefold()
