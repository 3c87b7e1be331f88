"""All readers of this folder, asked in order: whose settings a picture's texts are, and what these say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modules.images.foreign import civitai, comfyui, fooocus, invokeai, novelai, swarmui, written
from modules.images.foreign.reading import Reading
from modules.images.infotext import looks_like_infotext, parse_whole
from modules.images.picture_texts import PARAMETERS_KEY

# Each with the keys that it reads, the first that is there. Those who put JSON where A1111 has its infotext come before
# that, and after it the graphs that may stand beside it.
_Readers = tuple[tuple[Callable[[Mapping[str, str]], Reading | None], tuple[str, ...]], ...]
_IN_PLACE_OF_INFOTEXT: _Readers = (
    (novelai.read, ("Comment", "Description")),
    (swarmui.read, (PARAMETERS_KEY,)),
    (civitai.read, (PARAMETERS_KEY, "prompt")),
    (fooocus.read, (PARAMETERS_KEY,)),
)
_BESIDE_IT: _Readers = (
    (invokeai.read, ("invokeai_metadata", "sd-metadata", "Dream")),
    (comfyui.read, ("prompt", "workflow")),
)
_INFOTEXT_KEYS = (PARAMETERS_KEY, "comment")


def read(items: Mapping[str, str]) -> Reading | None:
    """Return what the texts of a picture say about how it was made; None: nothing that is known."""
    for reader, keys in _IN_PLACE_OF_INFOTEXT:
        if (reading := reader(items)) is not None:
            return _finished(reading, items, keys)
    text = infotext_in(items)
    if text is not None:
        scheme = items.get("fooocus_scheme") or items.get("MakerNote")
        reading = written.read(*parse_whole(text), fooocus.PROGRAM if scheme == "a1111" else None)
        return _finished(reading, items, _INFOTEXT_KEYS)
    for reader, keys in _BESIDE_IT:
        if (reading := reader(items)) is not None:
            return _finished(reading, items, keys)
    return None


def infotext_in(items: Mapping[str, str]) -> str | None:
    """Return the infotext among the texts of a picture, as it stands there; None: there is none."""
    texts = (items.get(key, "") for key in _INFOTEXT_KEYS)
    return next((text for text in texts if looks_like_infotext(text)), None)


def _finished(reading: Reading, items: Mapping[str, str], keys: tuple[str, ...]) -> Reading:
    reading.source = next((key for key in keys if key in items), "")
    reading.rows = {key: value for key, value in reading.rows.items() if value}
    return reading
