"""A file that is used together with a model to draw with: a VAE, a text encoder, a LoRA and the like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from modules.errors import ModelError
from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH
from modules.jobs.models.detection.detect import detect_by_header
from modules.jobs.models.detection.found import Found, Role
from modules.jobs.models.detection.hints import told_family
from modules.jobs.models.detection.upscalers import scale_in_name, told_restorer
from modules.jobs.models.foreign_bytes import BEGINNING_BYTES, is_pickle, say
from modules.jobs.models.names import without_suffix
from modules.jobs.models.network_facts import NetworkFacts, facts_of_embedding, facts_of_lora
from modules.jobs.models.places import Kind
from modules.jobs.models.scan import stamp_of_model
from modules.jobs.models.shelf import readable
from modules.jobs.models.tensor_file import read_tensor_header
from modules.jobs.models.tensor_header import TensorHeader
from modules.jobs.models.untrusted_file import is_regular, open_regular

PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
# What people call each kind, and the folder of ours that it belongs into.
LABELS: dict[Kind, tuple[str, str]] = {
    "checkpoint": ("checkpoint", "models/Stable-diffusion"),
    "denoiser": ("denoiser", "models/diffusion_models"),
    "vae": ("VAE", "models/VAE"),
    "text_encoder": ("text encoder", "models/text_encoder"),
    "lora": ("LoRA", "models/Lora"),
    "embedding": ("embedding", "models/embeddings"),
    "upscaler": ("upscaler", "models/ESRGAN"),
    "face_restorer": ("face restorer", "models/GFPGAN"),
    "controlnet": ("ControlNet", "models/ControlNet"),
    "tiny_decoder": ("small decoder", "models/VAE-approx"),
}
# What a file is found to be that belongs into a folder of each kind.
_ROLES: Mapping[Kind, tuple[Role, ...]] = {
    "checkpoint": ("checkpoint",),
    "denoiser": ("denoiser",),
    "vae": ("vae",),
    "text_encoder": ("text_encoder",),
    "lora": ("lora",),
    "embedding": ("embedding",),
    "upscaler": ("upscaler",),
    "face_restorer": ("face_restorer",),
    "controlnet": ("controlnet", "adapter"),
    "tiny_decoder": ("tiny_vae",),
}
# What people have mostly as pickles. Their weights alone are read, by the engine, and nothing in them is run.
_READ_AS_PICKLES: tuple[Kind, ...] = ("upscaler", "face_restorer", "embedding")
# How many digits of a hash A1111's infotext tells of a LoRA or an embedding.
NETWORK_HASH_LENGTH = 12
_LONGEST_REASON = 200


@dataclass(frozen=True)
class ModelFile:
    """A file. `problem` says why it cannot be used and what to do; None: it can, or nobody has looked yet.

    `kind` is that of the folder that it lies in, `role` what it was found to be (`detection/found.py`). `does` says
    which text encoder, VAE or restorer of faces it is, `family` for which models a LoRA and the like is, `scale` how
    many times larger an upscaler makes pictures, None where neither header nor name tell that. `stamp` tells one state
    of the file from another, "" until it was looked at; `modified_at` is in seconds. `tensors_sha256` is the hash of a
    LoRA's tensors alone, and `network` what its header tells, or that of an embedding.
    """

    name: str
    path: Path
    kind: Kind
    size_bytes: int = 0
    modified_at: float = 0.0
    stamp: str = ""
    sha256: str | None = None
    role: str = ""
    does: str = ""
    family: str = ""
    variant: str = ""
    number_format: str = ""
    scale: int | None = None
    problem: str | None = None
    tensors_sha256: str | None = None
    network: NetworkFacts | None = None

    @property
    def name_without_suffix(self) -> str:
        """The name as prompts and A1111's lists have it."""
        return without_suffix(self.name)

    @property
    def short_hash(self) -> str | None:
        """The ten hexadecimal digits that infotext and titles show."""
        return self.sha256[:SHORT_HASH_LENGTH] if self.sha256 else None

    @property
    def stem(self) -> str:
        """The name without folders and suffix, as prompts call a LoRA or an embedding."""
        return self.name_without_suffix.rpartition("/")[2]

    @property
    def content_hash(self) -> str | None:
        """The hash by which a job knows what it is drawn with: of a LoRA that of its tensors alone."""
        return self.tensors_sha256 if self.kind == "lora" else self.sha256

    @property
    def title(self) -> str:
        """The name, with the hash once that is known."""
        return f"{self.name} [{self.short_hash}]" if self.short_hash else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """What else than its name it may be asked for by."""
        tensors = self.tensors_sha256 and self.tensors_sha256[:NETWORK_HASH_LENGTH]
        hashes = (self.short_hash, self.sha256, tensors, self.tensors_sha256)
        return tuple(name for name in (self.title, *hashes, str(self.path)) if name)

    def check_usable(self) -> None:
        """Check that nothing is wrong with it.

        Raises:
            ModelError: something is; the message has the remedy.
        """
        if self.problem is not None:
            raise ModelError(f"{LABELS[self.kind][0]} {self.name} cannot be used: {self.problem}")


def look_at_file(name: str, path: Path, kind: Kind) -> ModelFile:
    """Return a file as it is now, not hashed. Reads its header only; whatever is odd is its own problem."""
    file = ModelFile(name, path, kind)
    try:
        status = path.stat()
        file = replace(
            file, size_bytes=status.st_size, modified_at=status.st_mtime, stamp=stamp_of_model(str(path), status)
        )
        problem = _find_problem_of_file(path, kind)
        if problem is None and _is_read_as_pickle(path, kind):
            file = replace(file, role=kind, does=told_restorer(path.stem), scale=scale_in_name(path.stem))
        elif problem is None:
            header = read_tensor_header(path)
            found = detect_by_header(header)
            problem = _find_misplaced(found, kind) or (found.problem and f"{found.problem}.")
            file = replace(_with_facts(file, found), network=_network(header, found))
    except ValueError as error:
        problem = f"{say(error)}."
    except Exception as error:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
        problem = f"cannot be read ({reason}): give your user read access to it, or take it away."
    return file if problem is None else replace(file, problem=readable(f"{path} {problem}"))


def _with_facts(file: ModelFile, found: Found) -> ModelFile:
    return replace(
        file,
        role=found.role,
        does=found.kind,
        family=found.family or (told_family(file.path) if found.role in ("lora", "embedding") else ""),
        variant=found.variant,
        number_format=found.number_format,
        scale=found.scale or (scale_in_name(file.path.stem) if found.role == "upscaler" else None),
    )


def _network(header: TensorHeader, found: Found) -> NetworkFacts | None:
    if found.role == "lora":
        return facts_of_lora(header)
    return facts_of_embedding(header) if found.role == "embedding" else None


def _find_problem_of_file(path: Path, kind: Kind) -> str | None:
    if readable(str(path)) != str(path):
        return "has a name that is not UTF-8: rename it."
    if not is_regular(path):
        return "is no regular file: take it away."
    if path.suffix.lower() in PICKLES and kind not in _READ_AS_PICKLES:
        return "is a pickle, which can run code, so it is not read: use a safetensors of the same model."
    return None


def _is_read_as_pickle(path: Path, kind: Kind) -> bool:
    """Tell whether a file is a pickle of a kind that is read as one; what is in it is for the engine to see."""
    if kind not in _READ_AS_PICKLES or path.suffix.lower() not in PICKLES:
        return False
    with open_regular(path) as file:
        return is_pickle(file.read(BEGINNING_BYTES))


def _find_misplaced(found: Found, kind: Kind) -> str | None:
    """Tell where a file belongs that is of another kind than the others of its folder."""
    if found.role in _ROLES[kind] or found.role in ("unknown", "video"):
        return None
    label = LABELS[kind][0]
    there = next((one for one, roles in _ROLES.items() if found.role in roles), None)
    what = found.label or (LABELS[there][0] if there is not None else found.role.replace("_", " "))
    where = f"put it into {LABELS[there][1]}" if there is not None else "take it away"
    return f"is no {label}, but {what}: {where}."
