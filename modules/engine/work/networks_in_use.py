"""The LoRAs and textual inversions that the words of a picture call for, for the model that draws it."""

from __future__ import annotations

from collections.abc import Callable

from modules.engine.engine_parts import EngineParts
from modules.engine.families.reading import Embedding
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.networks.block_weights import block_weights
from modules.engine.networks.kept_files import Wanted
from modules.engine.networks.textual_inversion import Vectors, by_encoder, read_vectors
from modules.errors import ModelError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.vae_file import stamp_of_file
from modules.jobs.rows import Job
from modules.options import Settings
from modules.prompts.extra_networks import NetworkTag, without_networks

# Beyond it float32 has no numbers for what comes of it; there is no picture long before.
_LARGEST_STRENGTH = 1e6
_BLOCKS = "lbw="


def refuses_useless_networks(job: Job, settings: Settings) -> bool:
    """Tell whether a LoRA that changes nothing ends a job, by its request or else the settings."""
    overrides = job.request.get("override_settings") or {}
    return bool(overrides.get("networks_missing", settings.networks_missing) == "refuse")


class NetworksInUse:
    """The networks of one job. `note` is told what people are to know, once for each text.

    `refuses`: the job is not to be drawn with a LoRA that changes nothing. Of several models it may be for another.
    """

    def __init__(
        self,
        parts: EngineParts,
        models: Models,
        resolved: ResolvedJob,
        note: Callable[[str, str], None],
        refuses: bool = False,
    ) -> None:
        self._parts = parts
        self._models = models
        self._resolved = resolved
        self._note = note
        self._refuses = refuses and len(models.drawing) == 1
        self._stamps = {name: stamp_of_file(file.path) for name, file in models.networks.items()}
        self._vectors: dict[str, Vectors] = {}

    def prepare_words(self, model: LoadedModel, number: int, index: int) -> None:
        """Have a model read the words of a pass of the picture `index` as its LoRAs want them read.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: a file cannot be read, gives weights that are no numbers, or changes nothing where that is to be
                refused.
        """
        self._use(model, number, index, words_only=True)

    def prepare(self, model: LoadedModel, number: int, index: int) -> None:
        """Have a model draw a pass with the LoRAs of its words. Those of a batch are those of its first picture.

        Raises:
            Interrupted, ModelError: as `prepare_words`.
        """
        self._use(model, number, index)

    def embeddings(self, model: LoadedModel, number: int, index: int) -> dict[str, Embedding]:
        """Return what stands for words: the textual inversions that the job knows, and those within its LoRAs.

        Those that are not for this model are told of, and left out.

        Raises:
            Interrupted: the job was stopped while a file was read.
            ModelError: one cannot be read.
        """
        found: dict[str, Embedding] = {}
        for word, file in self._models.embeddings.items():
            if word not in self._vectors:
                self._vectors[word] = read_vectors(file.path, lambda _done: self._parts.cancel.check())
            self._add(found, word, str(file.content_hash), self._vectors[word], model)
        wanted = self._wanted(number, index)
        for word, vectors in self._parts.lora_weights.bundled(model, wanted).items():
            if word not in found:
                self._add(found, word, "|".join(one.key for one in wanted), vectors, model)
        return found

    def _add(self, found: dict[str, Embedding], word: str, hash: str, vectors: Vectors, model: LoadedModel) -> None:
        try:
            found[word] = Embedding(hash, by_encoder(vectors, model))
        except ValueError as error:
            self._note("networks", f"Embedding {word!r} {error}.")

    def _use(self, model: LoadedModel, number: int, index: int, words_only: bool = False) -> None:
        weights = self._parts.lora_weights
        for text in weights.use(model, self._wanted(number, index), words_only):
            if self._refuses and text in weights.useless(model):
                raise ModelError(f"{text} Take it out of the prompt, or use one that was made for this model.")
            self._note("networks", text)

    def _wanted(self, number: int, index: int) -> tuple[Wanted, ...]:
        """Return what a pass of a picture calls for, in the order of its prompt. What is missing was told of."""
        words = self._resolved.passes[number].words or self._resolved.words
        files = self._models.networks
        if words.syntax == "plain" or not files:
            return ()
        tags = without_networks(words.of(index).prompt)[1]
        return tuple(self._asked(tag, files[tag.name]) for tag in tags if tag.kind == "lora" and tag.name in files)

    def _asked(self, tag: NetworkTag, file: ModelFile) -> Wanted:
        stamp = self._stamps[tag.name]
        te, unet = (max(-_LARGEST_STRENGTH, min(_LARGEST_STRENGTH, one)) for one in (tag.te, tag.unet))
        return Wanted(tag.name, file.path, f"{file.content_hash} {stamp}", stamp, te, unet, tag.dyn, self._blocks(tag))

    def _blocks(self, tag: NetworkTag) -> tuple[tuple[str, float], ...]:
        """Return the strengths in the blocks of a UNet that a tag names."""
        blocks: dict[str, float] = {}
        for argument in tag.arguments:
            found = block_weights(argument.removeprefix(_BLOCKS)) if argument.startswith(_BLOCKS) else None
            if found is not None:
                blocks = found
            elif argument.startswith(_BLOCKS):
                why = "is no list of 12, 17, 20 or 26 numbers, so all blocks are changed alike"
                self._note("networks", f"LoRA {tag.name}: {argument[:80]} {why}.")
            else:
                self._note("networks", f"LoRA {tag.name}: {argument[:80]!r} means nothing here.")
        return tuple(blocks.items())
