"""How latents look, by the VAE that they are for: red, green and blue that a unit of each channel adds.

Least-squares fits of pictures on their latents, as the authors of ComfyUI's previews have published their figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Factors = tuple[tuple[float, float, float], ...]
Bias = tuple[float, float, float]

_SD: Factors = (
    (0.3512, 0.2297, 0.3227), (0.3250, 0.4974, 0.2350), (-0.2829, 0.1762, 0.2721), (-0.2120, -0.2616, -0.7177),
)  # fmt: skip
_SDXL: Factors = (
    (0.3651, 0.4232, 0.4341), (-0.2533, -0.0042, 0.1068), (0.1076, 0.1111, -0.0362), (-0.3165, -0.2492, -0.2188),
)  # fmt: skip
_SDXL_BIAS: Bias = (0.1084, -0.0175, -0.0011)
_PLAYGROUND: Factors = (
    (0.3920, 0.4054, 0.4549), (-0.2634, -0.0196, 0.0653), (0.0568, 0.1687, -0.0755), (-0.3112, -0.2359, -0.2076),
)  # fmt: skip
_SD3: Factors = (
    (-0.0922, -0.0175, 0.0749), (0.0311, 0.0633, 0.0954), (0.1994, 0.0927, 0.0458), (0.0856, 0.0339, 0.0902),
    (0.0587, 0.0272, -0.0496), (-0.0006, 0.1104, 0.0309), (0.0978, 0.0306, 0.0427), (-0.0042, 0.1038, 0.1358),
    (-0.0194, 0.0020, 0.0669), (-0.0488, 0.0130, -0.0268), (0.0922, 0.0988, 0.0951), (-0.0278, 0.0524, -0.0542),
    (0.0332, 0.0456, 0.0895), (-0.0069, -0.0030, -0.0810), (-0.0596, -0.0465, -0.0293), (-0.1448, -0.1463, -0.1189),
)  # fmt: skip
_SD3_BIAS: Bias = (0.2394, 0.2135, 0.1925)
_FLUX: Factors = (
    (-0.0346, 0.0244, 0.0681), (0.0034, 0.0210, 0.0687), (0.0275, -0.0668, -0.0433), (-0.0174, 0.0160, 0.0617),
    (0.0859, 0.0721, 0.0329), (0.0004, 0.0383, 0.0115), (0.0405, 0.0861, 0.0915), (-0.0236, -0.0185, -0.0259),
    (-0.0245, 0.0250, 0.1180), (0.1008, 0.0755, -0.0421), (-0.0515, 0.0201, 0.0011), (0.0428, -0.0012, -0.0036),
    (0.0817, 0.0765, 0.0749), (-0.1264, -0.0522, -0.1103), (-0.0280, -0.0881, -0.0499), (-0.1262, -0.0982, -0.0778),
)  # fmt: skip
_FLUX_BIAS: Bias = (-0.0329, -0.0718, -0.0851)
_WAN: Factors = (
    (-0.1299, -0.1692, 0.2932), (0.0671, 0.0406, 0.0442), (0.3568, 0.2548, 0.1747), (0.0372, 0.2344, 0.1420),
    (0.0313, 0.0189, -0.0328), (0.0296, -0.0956, -0.0665), (-0.3477, -0.4059, -0.2925), (0.0166, 0.1902, 0.1975),
    (-0.0412, 0.0267, -0.1364), (-0.1293, 0.0740, 0.1636), (0.0680, 0.3019, 0.1128), (0.0032, 0.0581, 0.0639),
    (-0.1251, 0.0927, 0.1699), (0.0060, -0.0633, 0.0005), (0.3477, 0.2275, 0.2950), (0.1984, 0.0913, 0.1861),
)  # fmt: skip
_WAN_BIAS: Bias = (-0.1835, -0.0868, -0.3360)
_FLUX_2: Factors = (
    (0.0058, 0.0113, 0.0073), (0.0495, 0.0443, 0.0836), (-0.0099, 0.0096, 0.0644), (0.2144, 0.3009, 0.3652),
    (0.0166, -0.0039, -0.0054), (0.0157, 0.0103, -0.0160), (-0.0398, 0.0902, -0.0235), (-0.0052, 0.0095, 0.0109),
    (-0.3527, -0.2712, -0.1666), (-0.0301, -0.0356, -0.0180), (-0.0107, 0.0078, 0.0013), (0.0746, 0.0090, -0.0941),
    (0.0156, 0.0169, 0.0070), (-0.0034, -0.0040, -0.0114), (0.0032, 0.0181, 0.0080), (-0.0939, -0.0008, 0.0186),
    (0.0018, 0.0043, 0.0104), (0.0284, 0.0056, -0.0127), (-0.0024, -0.0022, -0.0030), (0.1207, -0.0026, 0.0065),
    (0.0128, 0.0101, 0.0142), (0.0137, -0.0072, -0.0007), (0.0095, 0.0092, -0.0059), (0.0000, -0.0077, -0.0049),
    (-0.0465, -0.0204, -0.0312), (0.0095, 0.0012, -0.0066), (0.0290, -0.0034, 0.0025), (0.0220, 0.0169, -0.0048),
    (-0.0332, -0.0457, -0.0468), (-0.0085, 0.0389, 0.0609), (-0.0076, 0.0003, -0.0043), (-0.0111, -0.0460, -0.0614),
)  # fmt: skip
_PIXELS: Factors = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_NO_BIAS: Bias = (0.0, 0.0, 0.0)
_VIDEO_VAES = ("AutoencoderKLQwenImage", "AutoencoderKLWan")
# Scales that only one VAE has.
_SCALE_OF_SDXL, _SCALE_OF_SD3 = 0.13025, 1.5305
_COLOURS: Mapping[str, tuple[Factors, Bias]] = {
    "sd": (_SD, _NO_BIAS),
    "sdxl": (_SDXL, _SDXL_BIAS),
    "playground": (_PLAYGROUND, _NO_BIAS),
    "sd3": (_SD3, _SD3_BIAS),
    "flux": (_FLUX, _FLUX_BIAS),
    "wan": (_WAN, _WAN_BIAS),
    "flux2": (_FLUX_2, _FLUX_BIAS),
    "pixels": (_PIXELS, _NO_BIAS),
}


def channels_of(vae: Any) -> int:
    """Return how many channels the latents of a VAE have; without one they are pixels."""
    if vae is None:
        return 3
    config = vae.config
    return int(next(value for name in ("latent_channels", "z_dim") if (value := config.get(name)) is not None))


def kind_of(vae: Any) -> str | None:
    """Return what latents a VAE is for, by its class, its channels and its scale; None: they are not known here."""
    if vae is None:
        return "pixels"
    name, channels = type(vae).__name__, channels_of(vae)
    scale = round(float(vae.config.get("scaling_factor") or 0.0), 5)
    if name == "AutoencoderKLFlux2" and channels == len(_FLUX_2):
        return "flux2"
    if name in _VIDEO_VAES and channels == len(_WAN):
        return "wan"
    if name not in ("AutoencoderKL", "AutoencoderTiny"):
        return None
    if channels == len(_FLUX):
        return "sd3" if scale == _SCALE_OF_SD3 else "flux"
    if channels != len(_SD):
        return None
    if vae.config.get("latents_mean") is not None:
        return "playground"
    return "sdxl" if scale == _SCALE_OF_SDXL else "sd"


def colours_of(vae: Any) -> tuple[Factors, Bias] | None:
    """Return what each channel of a VAE's latents adds to red, green and blue (-1..1), and what comes on top.

    None: nobody has measured latents of this kind.
    """
    return _COLOURS.get(kind_of(vae) or "")
