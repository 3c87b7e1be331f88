"""A job with nothing left open, of whatever kind: words, sources and passes. The engine knows no more of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from modules.jobs.kinds.files import FileForm, Grid, LargeCopy, Naming
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.starts import Outpaint, Start
from modules.jobs.models.checkpoint import SHORT_HASH_LENGTH

Syntax = Literal["plain", "a1111"]
Emphasis = Literal["Original", "No norm", "Ignore", "None"]


class PictureWords(Frozen):
    """The words of one picture, where those of a job differ: wildcards and variants are chosen by each one's seed."""

    prompt: str
    negative_prompt: str


class Words(Frozen):
    """What people wrote, and how it is read.

    `clip_skip` is the layer of CLIP that reads it, counted from the last one: 1. `syntax` is "plain" in rows of
    versions that took brackets for text. `emphasis` is A1111's mode of weights, `old_editing` its
    "Old prompt editing timelines"; where a chunk of tokens is full, what follows a comma among its last
    `comma_backtrack` goes into the next one. `each` are the words of the job's pictures, in order, where they differ,
    and `templates` the prompts that they were made of.
    """

    prompt: str
    negative_prompt: str
    clip_skip: int = 1
    syntax: Syntax = "plain"
    emphasis: Emphasis = "Original"
    old_editing: bool = False
    comma_backtrack: int = 20
    each: tuple[PictureWords, ...] = ()
    templates: PictureWords | None = None

    def of(self, index: int) -> PictureWords:
        """Return the words of the picture with this index."""
        return self.each[index] if self.each else PictureWords(prompt=self.prompt, negative_prompt=self.negative_prompt)


class Source(Frozen):
    """A model that is drawn with: its name in the lists, and the SHA-256 of what is loaded of it.

    `parts` are the files beside a checkpoint that it is drawn with, by the part's name in the pipeline; None in rows of
    versions that did not keep them.
    """

    name: str
    hash: str
    parts: dict[str, Source] | None = None

    @property
    def short_hash(self) -> str:
        """The hash as infotext shows it."""
        return self.hash[:SHORT_HASH_LENGTH]


class Sources(Frozen):
    """The models that a job is drawn with. `vae` takes the place of the checkpoint's own; None: that one is used.

    `modules` are the names of those of the checkpoint's parts that somebody chose by hand. `networks` are the LoRAs, by
    the names that prompts call them by, and `embeddings` the textual inversions, by the words that stand for them.
    """

    checkpoint: Source
    vae: Source | None = None
    modules: tuple[str, ...] = ()
    networks: dict[str, Source] = Field(default_factory=dict)
    embeddings: dict[str, Source] = Field(default_factory=dict)


class Enlarging(Frozen):
    """How what a pass begins with is made as large as its picture is to be: by an upscaler's name, and file.

    A file's upscaler sees so many pixels a side at a time, `tile` (0: all), of which so many overlap. `extra_noise` is
    A1111's.
    """

    upscaler: str
    model: Source | None = None
    tile: int = 192
    tile_overlap: int = 8
    extra_noise: float = 0.0


class Noise(Frozen):
    """What a sampler adds of noise on the way.

    `eta` is the part of what samplers add that usually add it in full. `churn` is that of Karras et al. (2022) over all
    steps, between the noise levels `lowest` and `highest` (None: without limit). `strength` is what new noise has of
    what is due.
    """

    eta: float = 1.0
    churn: float = 0.0
    lowest: float = 0.0
    highest: float | None = None
    strength: float = 1.0


class Variation(Frozen):
    """The noise of another seed, mixed into that of a picture's own: of all of it so much, 0 to 1, on the arc between.

    All pictures of the job have the same seed of their own then; picture i varies it by `seed` + i.
    """

    seed: int
    strength: float


class Pass(Frozen):
    """One run of the denoiser, over the steps `begin` to `end` of a list of `steps`; sizes are in pixels.

    At 0 it begins with noise, else with what the pass before it left; None ends it with the list. `checkpoint` is the
    model that runs; None: that of the job. `distilled_cfg_scale` is the guidance that some models take as an input,
    None: it takes none. `shift` moves the steps of a flow model towards the noise, None: as much as its own.

    With a `start` it begins with pictures, to which the noise of step `begin` is added. With `enlarging` (hires fix)
    what it begins with is enlarged to its size first: to cover it, and its middle is cut out. `resizing` is what
    enlarges the pictures of its `start` that are smaller than it draws; None: plainly. `words` are its own; None: the
    job's. `tile`: the denoiser sees so many pixels a side at a time; None: all.

    `noise` is what the sampler adds on the way, None: as always. `guidance_rescale` is how far guidance is kept from
    making contrasts larger, 0 to 1.

    `denoising_strength` and `steps_asked` (None: as many as the list has) are what people asked for, of which steps and
    begin were made.
    """

    width: int
    height: int
    steps: int
    sampler_name: str
    scheduler: str
    cfg_scale: float
    begin: int = 0
    end: int | None = None
    checkpoint: Source | None = None
    distilled_cfg_scale: float | None = None
    shift: float | None = None
    image_cfg_scale: float | None = None
    start: Start | None = None
    enlarging: Enlarging | None = None
    resizing: Enlarging | None = None
    words: Words | None = None
    tile: int | None = None
    noise: Noise | None = None
    guidance_rescale: float = 0.0
    denoising_strength: float | None = None
    steps_asked: int | None = None

    @property
    def step_count(self) -> int:
        """How many steps of the list it does."""
        return (self.steps if self.end is None else self.end) - self.begin


class Saving(Frozen):
    """What becomes of the pictures: which are kept as files, in which form and under which names, and what these tell.

    `save_txt`: a text file with the infotext lies beside each. `grid` None: there is none of all of them. `large_copy`
    None: large ones have no smaller copy beside them.
    """

    save_images: bool
    save_partial: bool
    mark_partial: bool
    add_model_name_to_info: bool
    add_model_hash_to_info: bool
    add_version_to_infotext: bool
    lora_add_hashes_to_infotext: bool = True
    textual_inversion_add_hashes_to_infotext: bool = True
    form: FileForm = FileForm()
    naming: Naming = Naming()
    save_txt: bool = False
    grid: Grid | None = None
    large_copy: LargeCopy | None = None

    def told(self) -> dict[str, Any]:
        """Return what every client is told of it: nothing of where files lie."""
        return self.model_dump(exclude={"form", "naming", "save_txt", "grid", "large_copy"})


class Resolved(Frozen):
    """All that decides the pictures of a job of any kind. The same values give the same bits on the same machine.

    `environment` is what the bits depend on beside the other values; None is unknown.
    """

    kind: str
    version: str
    saving: Saving
    environment: dict[str, str] | None = None

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        raise NotImplementedError

    def size_of(self, index: int) -> tuple[int, int]:
        """Return width and height of a finished picture."""
        raise NotImplementedError

    def seed_of(self, index: int) -> int:
        """Return the seed of a picture, -1 where it has none."""
        return -1


class ResolvedJob(Resolved):
    """A job that draws: each picture goes through all passes, in order.

    What each begins with is the noise of its seed, or a `variation` of it; with `resized_from` (width, height) the
    middle is that of a picture of this size. What is added on the way is of the seed plus `noise_seed_delta`, unless
    that is 0. The opposite edges of pictures that are `tiling` fit together.
    """

    words: Words
    sources: Sources
    passes: tuple[Pass, ...]
    seed: int
    batch_size: int
    n_iter: int
    dtype: str
    threads: int
    variation: Variation | None = None
    resized_from: tuple[int, int] | None = None
    noise_seed_delta: int = 0
    tiling: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read_row(cls, data: Any) -> Any:
        return _from_flat(data) if isinstance(data, Mapping) and "passes" not in data else data

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return self.batch_size * self.n_iter

    def size_of(self, index: int) -> tuple[int, int]:
        """Return the size of the last pass; where only a part of a picture is drawn anew, that of the whole one."""
        start = self.passes[0].start
        if start is not None and start.mask is not None and start.mask.padding is not None:
            whole, sides = start.picture_of(index), start.outpaint or Outpaint()
            return whole.width + sides.left + sides.right, whole.height + sides.top + sides.bottom
        return self.passes[-1].width, self.passes[-1].height

    @property
    def largest(self) -> tuple[int, int]:
        """Width and height of the largest pass, which decides how much memory the job takes."""
        one = max(self.passes, key=lambda one: one.width * one.height)
        return one.width, one.height

    @property
    def texts(self) -> tuple[str, ...]:
        """All prompts that it is drawn with, each once."""
        read = [words for words in (self.words, *(one.words for one in self.passes)) if words is not None]
        each = [one for words in read for one in words.each or (words.of(0),)]
        return tuple(dict.fromkeys(text for one in each for text in (one.prompt, one.negative_prompt)))

    @property
    def step_count(self) -> int:
        """How many steps a picture takes, in all passes."""
        return sum(one.step_count for one in self.passes)

    def checkpoint_of(self, number: int) -> Source:
        """Return the model of the pass with this number."""
        return self.passes[number].checkpoint or self.sources.checkpoint

    def seed_of(self, index: int) -> int:
        """Return the seed of the picture with this index; picture i of a batch is the one that seed + i gives alone."""
        return self.seed if self.variation is not None else self.seed + index

    def variation_of(self, index: int) -> Variation | None:
        """Return what the noise of the picture with this index is mixed with; None: it is that of its seed."""
        if self.variation is None:
            return None
        return self.variation.model_copy(update={"seed": self.variation.seed + index})


def _from_flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the versions that knew one kind and one pass: all values stood side by side."""

    def values(form: type[BaseModel]) -> dict[str, Any]:
        return {name: row[name] for name in form.model_fields if name in row}

    return values(ResolvedJob) | {
        "kind": "txt2img",
        "words": values(Words),
        "sources": {"checkpoint": {"name": row.get("checkpoint"), "hash": row.get("checkpoint_hash")}},
        "passes": [values(Pass) | {"checkpoint": None}],  # That of the row is the job's.
        "saving": {"mark_partial": True} | values(Saving),
    }
