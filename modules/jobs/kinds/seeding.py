"""The noise of a request: whose seeds it is of, how much samplers add on the way, and what is done with its edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import Noise, Variation
from modules.jobs.kinds.fields import SIDE_HIGHEST, Seed
from modules.jobs.kinds.request import JobRequest
from modules.jobs.lenient import is_blank, real_number, show, switch, whole_number
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import predicts_flow
from modules.jobs.models.family_facts import RESCALE_GUIDANCE, TILE_SEAMLESSLY
from modules.jobs.samplers import SAMPLERS, find_sampler
from modules.options import Settings

# Above all noise that a model knows: with A1111 that stands for no limit, as 0 does.
_NO_LIMIT = 999.0


def _side_before(label: str) -> Any:
    """Check a side of the picture whose noise is wanted; clients send 0 and -1 for none."""
    check = whole_number(label, 0, SIDE_HIGHEST, 0, " (0 is off)")

    def checked(value: Any) -> int | None:
        return 0 if not is_blank(value) and value in (-1, "-1") else check(value)

    return checked


def _limit(value: Any) -> float | None:
    """Check a highest noise level; 0 stands for no limit, whatever a client says for that."""
    number: float | None = real_number("Sigma tmax", 0, float("inf"), None)(
        _NO_LIMIT if value in ("Infinity", "inf") or value == float("inf") else value
    )
    return number if number is None or number < _NO_LIMIT else 0.0


Strength = Annotated[float, BeforeValidator(real_number("Variation seed strength", 0, 1, 0.0))]
ResizeFromWidth = Annotated[int, BeforeValidator(_side_before("Seed resize from width"))]
ResizeFromHeight = Annotated[int, BeforeValidator(_side_before("Seed resize from height"))]
Eta = Annotated[float | None, BeforeValidator(real_number("Eta", 0, 1, None))]
Churn = Annotated[float | None, BeforeValidator(real_number("Sigma churn", 0, 100, None))]
LowestChurned = Annotated[float | None, BeforeValidator(real_number("Sigma tmin", 0, 1000, None))]
HighestChurned = Annotated[float | None, BeforeValidator(_limit)]
NoiseStrength = Annotated[float | None, BeforeValidator(real_number("Sigma noise", 0, 2, None))]
Tiling = Annotated[bool, BeforeValidator(switch("tiling", False))]
CfgRescale = Annotated[float, BeforeValidator(real_number("CFG rescale", 0, 1, 0.0, " (0 is off)"))]


class SeedingRequest(JobRequest):
    """The fields of noise that all kinds share which draw: A1111's, and CFG rescale. None is the settings' own."""

    subseed: Annotated[int, *Seed.__metadata__] = Field(-1, description="The seed of the variation; -1 draws one.")
    subseed_strength: Strength = Field(
        0.0, description="How much of the noise is the variation's, 0 to 1; above 0 all pictures have the same seed."
    )
    seed_resize_from_w: ResizeFromWidth = Field(
        0, description="With seed_resize_from_h: the size of a picture that this one is to look like; 0: none."
    )
    seed_resize_from_h: ResizeFromHeight = 0
    eta: Eta = Field(None, description="How much noise samplers add that do so, as a part of what they add usually.")
    s_churn: Churn = Field(None, description="How much noise Euler, Heun and DPM2 add, over all steps.")
    s_tmin: LowestChurned = Field(None, description="The lowest noise level at which s_churn adds any.")
    s_tmax: HighestChurned = Field(None, description="The highest one; 0 is no limit.")
    s_noise: NoiseStrength = Field(
        None, description="How strong noise is that a sampler adds, as a part of what is due."
    )
    tiling: Tiling = Field(False, description="Make pictures whose opposite edges fit together.")
    cfg_rescale: CfgRescale = Field(
        0.0, description="How far guidance is kept from making contrasts larger than the model's own, 0 to 1."
    )

    def variation(self, draw_seed: Callable[[], int]) -> Variation | None:
        """Return whose noise is mixed into that of the seeds; `draw_seed` is called for seed -1 only."""
        if not self.subseed_strength:
            return None
        return Variation(seed=draw_seed() if self.subseed == -1 else self.subseed, strength=self.subseed_strength)

    @property
    def resized_from(self) -> tuple[int, int] | None:
        """Width and height of the picture that this one is to look like, None: there is none."""
        size = self.seed_resize_from_w, self.seed_resize_from_h
        return size if all(size) else None

    def noise_of(self, sampler_name: str, checkpoint: Checkpoint, settings: Settings) -> Noise | None:
        """Return how a sampler adds noise on the way, None: as it always does; `settings` are those of this request."""
        sampler = find_sampler(sampler_name)
        if predicts_flow(checkpoint.family, checkpoint.prediction):
            return None
        strength = settings.s_noise if self.s_noise is None else self.s_noise
        made = Noise()
        if sampler.eta is not None:
            usual = settings.eta_ancestral if sampler.eta else settings.eta_ddim
            eta = usual if self.eta is None else self.eta
            made = Noise(eta=eta, strength=strength if eta else 1.0)
            return None if made == Noise(eta=sampler.eta) else made
        if sampler.churns and (churn := settings.s_churn if self.s_churn is None else self.s_churn):
            highest = _limit(settings.s_tmax if self.s_tmax is None else self.s_tmax) or None
            lowest = settings.s_tmin if self.s_tmin is None else self.s_tmin
            made = Noise(churn=churn, lowest=lowest, highest=highest, strength=strength)
        return None if made == Noise() else made

    def rescale_for(self, checkpoint: Checkpoint) -> float:
        """Return how far guidance is kept from making contrasts larger, 0 with models that know nothing of that."""
        return self.cfg_rescale if checkpoint.family in RESCALE_GUIDANCE else 0.0

    def check_noise(self, sampler_name: str, checkpoint: Checkpoint) -> None:
        """Check that sampler and model can do what is asked of the noise.

        Raises:
            InvalidRequest: with the field; one of them cannot.
        """
        sampler, flow = find_sampler(sampler_name), predicts_flow(checkpoint.family, checkpoint.prediction)
        if self.eta not in (None, 0, 1) and (flow or sampler.eta is None):
            raise _cannot("eta", self.eta, sampler_name, checkpoint, flow, "send 1, or leave it out", _WITH_ETA)
        if self.s_churn and (flow or not sampler.churns):
            raise _cannot("s_churn", self.s_churn, sampler_name, checkpoint, flow, "send 0, or leave it out", _CHURNED)
        adds = sampler.churns or sampler.eta is not None
        if self.s_noise not in (None, 1) and (flow or not adds):
            names = _CHURNED + _WITH_ETA
            raise _cannot("s_noise", self.s_noise, sampler_name, checkpoint, flow, "send 1, or leave it out", names)
        if self.tiling and checkpoint.family not in TILE_SEAMLESSLY:
            message = (
                f"{checkpoint.name} cannot make pictures that tile: its network is told where each part lies. Send "
                "tiling false, or use a model of Stable Diffusion 1, 2 or XL."
            )
            raise InvalidRequest(message, "tiling")
        if self.cfg_rescale and checkpoint.family not in RESCALE_GUIDANCE:
            message = (
                f"{checkpoint.name} knows no CFG rescale: send cfg_rescale 0, or use a model of Stable Diffusion 1, "
                "2 or XL."
            )
            raise InvalidRequest(message, "cfg_rescale")


_WITH_ETA = tuple(one.name for one in SAMPLERS if one.eta is not None)
_CHURNED = tuple(one.name for one in SAMPLERS if one.churns)


def _cannot(
    field: str, value: object, sampler: str, checkpoint: Checkpoint, flow: bool, remedy: str, names: tuple[str, ...]
) -> InvalidRequest:
    if flow:
        why = f"{checkpoint.name} predicts a flow, whose samplers add noise in one way alone"
        return InvalidRequest(f"{field} {show(value)} is not possible: {why}. {remedy[0].upper()}{remedy[1:]}.", field)
    why = f"{sampler} has no use for it"
    return InvalidRequest(f"{field} {show(value)} is not possible: {why}. Use {', '.join(names)}; or {remedy}.", field)
