"""The pictures of a folder on the machine that the program runs on, taken in for a batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import gradio as gr

from modules.errors import InvalidRequest, NotPermitted, SteadyError
from modules.jobs.intake import Intake
from modules.jobs.rows import Actor
from modules.jobs.visitor import refusal_of_guest
from webui.actors import actor
from webui.listeners import Component, Named, Script, Values, on, together

# Each is read whole and written anew: more of them would keep who asked waiting for minutes.
MOST_AT_ONCE = 200
ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"))
_MOST_TOLD = 3


def wire(
    prefix: str, folder: Component, add: Component, answer: Component, owner: Component, intake: Intake | None
) -> None:
    """Make the button take in what is in the folder; the names go to the page's scripts, as JSON in `answer`."""

    def read(values: Values, asker: gr.Request) -> Values:
        return {"folder_answer": answer_of(str(values["folder"] or ""), actor(values["owner"], asker), intake)}

    told: Named = {"folder_answer": answer}
    asked = on(add.click, read, together({"folder": folder}, {"owner": owner}), told, Script("readsFolder", prefix))
    on(asked.then, None, told, script=Script("folderRead", prefix))


def answer_of(folder: str, by: Actor, intake: Intake | None) -> str:
    """Return JSON for the page: `names` of the pictures as inputs, and `told`, words on what was left out.

    Or {"problem": …}, and nothing was read.
    """
    try:
        if by.only_own:
            raise NotPermitted(refusal_of_guest("Reading a folder of the machine", by.address))
        files = pictures_in(folder)
        if intake is None:
            raise InvalidRequest("This server takes no pictures in.")
    except SteadyError as error:
        return json.dumps({"problem": str(error)})
    names, told = _taken(files[:MOST_AT_ONCE], lambda data: intake.take_picture(data, by).name)
    if len(files) > MOST_AT_ONCE:
        told.append(f"The first {MOST_AT_ONCE} of {len(files)} were taken.")
    return json.dumps({"names": names, "told": " ".join(told)})


def pictures_in(folder: str) -> list[Path]:
    """Return the pictures that lie in a folder, by name; those of its folders are not among them.

    Raises:
        InvalidRequest: there is no such folder, or no picture in it.
    """
    place = Path(folder.strip()).expanduser() if folder.strip() else None
    if place is None or not place.is_absolute():
        raise InvalidRequest("Write the whole path of a folder on the machine that this program runs on.")
    try:
        files = sorted(one for one in place.iterdir() if one.suffix.lower() in ENDINGS and one.is_file())
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{place} cannot be read: is there a folder of this name?") from error
    if not files:
        raise InvalidRequest(f"No pictures lie in {place}.")
    return files


def _taken(files: list[Path], take: Callable[[bytes], str]) -> tuple[list[str], list[str]]:
    """Return the names of those that can be used, and words on the others."""
    names, faults = [], []
    for file in files:
        try:
            names.append(take(file.read_bytes()))
        except (SteadyError, OSError) as error:
            faults.append(f"{file.name}: {error}")
    more = len(faults) - _MOST_TOLD
    return names, faults[:_MOST_TOLD] + ([f"And {more} more."] if more > 0 else [])
