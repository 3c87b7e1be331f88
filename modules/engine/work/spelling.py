"""By which names the models of a job read its prompts, where these are read otherwise than they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from modules.engine.families.reading import Reading
from modules.engine.work.pass_models import model_of_pass
from modules.engine.work.wording import wording_of
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.prompts.attention import Break
from modules.prompts.symbols import Symbols, symbols_of


@dataclass(frozen=True)
class Spelling:
    """What `words.json` and `symbols.json` of the `models` do to the words of a job."""

    resolved: ResolvedJob
    models: Models

    def of_all(self, get_on: Callable[[], None]) -> dict[str, str]:
        """Return the digests of the names by which some picture is read, by the names of the models in the row.

        `get_on` is called for each picture, of which there may be thousands, and may raise.
        """
        words = (self.resolved.words, *(one.words for one in self.resolved.passes))
        differ = any(one is not None and one.each for one in words)
        return self._of(range(self.resolved.image_count if differ else 1), get_on)

    def of_picture(self, index: int) -> dict[str, str]:
        """Return the same of the picture with this index; nothing where it is read as it is written."""
        return self._of((index,), lambda: None)

    def _of(self, indices: Iterable[int], get_on: Callable[[], None]) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, one in enumerate(self.resolved.passes):
            checkpoint, name = model_of_pass(self.models, one)[0], self.resolved.checkpoint_of(number).name
            symbols = symbols_of(checkpoint.path, checkpoint.stamp)
            if not symbols.digest or name in found:
                continue
            for index in indices:
                get_on()
                if self._is_spelled(number, index, symbols):
                    found[name] = symbols.digest
                    break
        return found

    def _is_spelled(self, number: int, index: int, symbols: Symbols) -> bool:
        """Tell whether a pass of a picture reads anything otherwise than it is written. Embeddings mean themselves."""
        words = self.resolved.passes[number].words or self.resolved.words
        as_written, kept = Reading(words.syntax, words.emphasis, words.comma_backtrack), self.models.embeddings.keys()
        scenes = wording_of(self.resolved, number, (index,)).scenes
        said = {text.said for _until, scene in scenes for texts in (*scene.prompts, scene.negatives) for text in texts}
        return any(
            symbols.spell_out(piece.text, kept) != piece.text
            for text in said
            for piece in as_written.pieces(text)
            if not isinstance(piece, Break)
        )
