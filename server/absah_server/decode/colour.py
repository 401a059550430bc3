"""Bring pixels of any kind to 8-bit RGB as a person would see them.

A file can be made so that a viewer, which minds its colour profile or gamma, shows something else
than its stored pixels. Where they differ more than between usual cameras and screens, the pixels
are converted; otherwise they stay as stored, since checks of authenticity look at their last bits.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_WHITE = (255, 255, 255)
_SRGB_GAMMA = 1 / 2.2
_GAMMA_TOLERANCE = 0.2
_GREY_TOLERANCE = 24
"""Greatest change of a grey that is left alone; ProPhoto's gamma of 1.8 moves greys by 20."""
_MEAN_TOLERANCE = 40.0
"""Greatest mean change of colours that is left alone; an inverted channel changes them by 40."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a loaded picture to RGB; transparent parts show white, as on paper."""
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in ("I", "F"):
        return _stretched(image)
    if image.mode in ("CMYK", "LAB"):
        return _through_profile(image, _profile(image)) or image.convert("RGB")
    if image.has_transparency_data or image.mode in ("LA", "PA", "La", "RGBa"):
        return _as_shown(image, _on_white(image))
    return _as_shown(image, image if image.mode == "RGB" else image.convert("RGB"))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    paper = Image.new("RGB", rgba.size, _WHITE)
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return paper


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Keep the upper byte: 0 to 65535 becomes 0 to 255."""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Stretch 32-bit values from their least to their greatest, as they have no agreed white."""
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    return Image.fromarray(((values - low) * scale).astype(np.uint8)).convert("RGB")


def _as_shown(image: Image.Image, rgb: Image.Image) -> Image.Image:
    """Convert RGB pixels where a viewer would show something else than what is stored."""
    profile = _profile(image)
    if profile:
        return (_through_profile(rgb, profile) or rgb) if _misleads(profile) else rgb
    gamma = image.info.get("gamma")  # PNG gAMA; a profile or the sRGB chunk overrides it
    if not isinstance(gamma, float) or gamma <= 0 or "srgb" in image.info:
        return rgb
    exponent = _SRGB_GAMMA / gamma
    if abs(exponent - 1) <= _GAMMA_TOLERANCE:
        return rgb
    curve = [round(255 * (level / 255) ** exponent) for level in range(256)]
    return rgb.point(curve * 3)


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """Open the embedded ICC profile; a broken one is as good as none."""
    embedded = image.info.get("icc_profile")
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(embedded)) if embedded else None
    except (ImageCms.PyCMSError, OSError):
        return None


def _misleads(profile: ImageCms.ImageCmsProfile) -> bool:
    """Try a profile for RGB on all greys and a lattice of colours."""
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    grey_change, colour_change = _change(greys, profile), _change(lattice, profile)
    return bool(grey_change.max() > _GREY_TOLERANCE or colour_change.mean() > _MEAN_TOLERANCE)


def _change(colours: NDArray[np.uint8], profile: ImageCms.ImageCmsProfile) -> NDArray[np.int16]:
    shown = _through_profile(Image.fromarray(colours), profile)
    if shown is None:
        return np.zeros(1, np.int16)
    return np.abs(np.asarray(shown, np.int16) - colours.astype(np.int16))


def _through_profile(
    image: Image.Image, profile: ImageCms.ImageCmsProfile | None
) -> Image.Image | None:
    """Convert through a profile to sRGB; None where there is none or it does not fit."""
    if profile is None:
        return None
    try:
        return ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        return None
