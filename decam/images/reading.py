"""Files, arrays and Pillow images turned into upright RGB pictures, or one sentence on why that cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from decam.errors import ImageError
from decam.images import depth, file_kinds, png, tiff

MAX_PICTURES = 16
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000
MIN_SIDE = 8
MAX_RATIO = 20

_AVIF = "avif" in features.get_supported_modules()  # Pillow 11.3 and newer, where its build has a decoder
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", *(("AVIF",) if _AVIF else ()))
KINDS = ("AVIF, " if _AVIF else "") + "PNG, JPEG, WebP, BMP, TIFF or GIF"

Data: TypeAlias = bytes | Path | BinaryIO


@dataclass(frozen=True)
class Picture:
    """An upright RGB picture with its name, and in words what was special about its file."""

    name: str
    image: Image.Image
    notes: tuple[str, ...] = ()


def read(data: Data, name: str = "") -> Picture:
    """One picture from a file's bytes, its path or an open binary file.

    Turned upright by its EXIF data, transparency laid on white, the first frame of several, 16 bits and floats scaled
    to 8 as `depth.scale` says. Raises ImageError, one sentence, for whatever cannot be used; the limits above are
    checked before decoding.
    """
    name = name or (data.name if isinstance(data, Path) else "The image")
    upright, notes = _decoded(data, name)
    image, more = _to_rgb(upright, name)
    return Picture(name, image, (*notes, *more))


def read_mask(data: Data, name: str) -> Image.Image:
    """A mask from a file, as grey values; of one with transparent places, how opaque they are.

    Raises ImageError as `read` does.
    """
    upright, _ = _decoded(data, name)
    if upright.has_transparency_data:
        opacity = upright.convert("RGBA").getchannel("A")
        if opacity.tobytes().strip(b"\xff"):
            return opacity
    return _to_rgb(upright, name)[0].convert("L")


def _decoded(data: Data, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    """The first frame of a file, upright and decoded, of 8 bits a channel, with notes."""
    content = png.without_text(_content(data, name))
    try:
        opened = _opened(content)
    except Image.DecompressionBombError:
        raise ImageError(f"{name} would unpack to more than {MAX_PIXELS:,} pixels; make it smaller.") from None
    except UnidentifiedImageError:
        return _unidentified(content, name)
    except Exception as error:  # decoders raise whatever a damaged header makes them raise
        raise _damaged(name) from error
    with opened:
        if isinstance(opened, TiffImageFile) and (raw := file_kinds.raw_tiff(opened.tag_v2, content)) is not None:
            raise _other_kind(raw, name)
        _check_size(opened.width, opened.height, name)
        try:
            frames = _frames_note(opened)
            upright, notes = depth.reduced(opened, content, lambda: _opened(content))
        except ImageError as error:
            raise ImageError(f"{name} {error}") from error
        except Exception as error:  # decoders raise whatever damaged data make them raise
            raise _damaged(name) from error
    return upright, (*frames, *notes)


def _opened(content: bytes) -> ImageFile:
    return Image.open(BytesIO(content), formats=FORMATS)


def _unidentified(content: bytes, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    """What Pillow does not know: a TIFF file of another layout; raises ImageError for everything else."""
    if tiff.is_tiff(content):
        try:
            upright, notes = tiff.read(content, lambda width, height: _check_size(width, height, ""))
        except ImageError as error:
            raise ImageError(f"{name} {str(error).lstrip()}") from error
        except Exception as error:  # whatever damaged data make the decoder raise
            raise _damaged(name) from error
        return upright, tuple(notes)
    kind = file_kinds.recognise(content)
    if kind is not None and not (_AVIF and kind is file_kinds.AVIF):
        raise _other_kind(kind, name)
    raise ImageError(f"{name} is not an image that can be read, or it is damaged; {KINDS} was expected.") from None


def _other_kind(kind: file_kinds.FileKind, name: str) -> ImageError:
    return ImageError(f"{name} is {kind.title}; {KINDS} was expected: {kind.advice}.")


def too_many(left_out: list[str]) -> str:
    """The sentence on pictures beyond MAX_PICTURES, which names them."""
    return f"At most {MAX_PICTURES} images at once: left out {', '.join(left_out)}."


def to_picture(source: str | Path | Image.Image | NDArray[Any]) -> Image.Image:
    """A path, a Pillow image or an array as an upright RGB picture.

    Arrays are H×W, H×W×3 or H×W×4, uint8 or floats in [0, 1]. Raises ImageError for anything else, and where the
    limits of `read` are broken.
    """
    if isinstance(source, str | Path):
        return read(Path(source)).image
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    elif not isinstance(source, Image.Image):
        raise ImageError(f"An image must be a path, a Pillow image or a numpy array, not {type(source).__name__}.")
    _check_size(source.width, source.height, "The image")
    try:
        source.load()
        upright = ImageOps.exif_transpose(source)
    except Exception as error:  # decoders raise whatever damaged data make them raise
        raise _damaged("The image") from error
    return _to_rgb(upright, "The image")[0]


def _content(data: Data, name: str) -> bytes:
    """All bytes, at least one and at most MAX_BYTES."""
    if isinstance(data, Path):
        try:
            with data.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ImageError(f"{data} cannot be read: {error.strerror or error}.") from error
    else:
        content = data if isinstance(data, bytes) else data.read(MAX_BYTES + 1)
    if not content:
        raise ImageError(f"{name} is empty (0 bytes).")
    if len(content) > MAX_BYTES:
        raise ImageError(f"{name} is larger than {MAX_BYTES // 2**20} MB, the limit for one file; make it smaller.")
    return content


def _damaged(name: str) -> ImageError:
    return ImageError(f"{name} is damaged or incomplete. Save or download it again.")


def _check_size(width: int, height: int, name: str) -> None:
    size = f"{name} has {width:,}×{height:,} pixels"
    if width * height > MAX_PIXELS:
        raise ImageError(f"{size}; at most {MAX_PIXELS:,} in all can be read: make it smaller.")
    if min(width, height) < 1:
        raise ImageError(f"{size}: there is nothing to see.")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise ImageError(f"{size}: one side may be at most {MAX_RATIO} times the other; crop it.")
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{size}; at least {MIN_SIDE}×{MIN_SIDE} are needed to see anything.")


def _frames_note(image: Image.Image) -> tuple[str, ...]:
    frames = getattr(image, "n_frames", 1)
    # Cameras put a preview beside the picture into one JPEG file (MPO): that is no animation.
    if frames < 2 or image.format == "MPO":
        return ()
    return (f"Only the first of {frames} {'pages' if image.format == 'TIFF' else 'frames'} is used.",)


def _to_rgb(image: Image.Image, name: str) -> tuple[Image.Image, tuple[str, ...]]:
    """Any of Pillow's modes as RGB, with notes on what was lost."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image.copy(), ()
    if depth.is_wide(image.mode):
        stated = depth.Range(32, signed=True) if image.mode == "I" else depth.Range(16)
        try:
            grey, wide_notes = depth.to_image(np.asarray(image)[..., None], stated, image.info.get("transparency"))
        except ImageError as error:
            raise ImageError(f"{name} {error}") from error
        return _to_rgb(grey.convert("RGB") if grey.mode == "L" else grey, name)[0], tuple(wide_notes)
    if image.mode == "La":  # grey multiplied by its alpha, which Pillow turns into nothing but LA
        image = image.convert("LA")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB"), ()
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        assert converted is not None  # None only where the image is changed in place
        return converted, ()
    notes = ("Converted from CMYK without its colour profile: colours may differ.",) if image.mode == "CMYK" else ()
    return image.convert("RGB"), notes


def _from_array(array: NDArray[Any]) -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        channels_first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        hint = " Channels come last: use array.transpose(1, 2, 0)." if channels_first else ""
        shape = "×".join(map(str, array.shape)) or "a single value"
        raise ImageError(f"An array of {shape} is no image: H×W, H×W×3 or H×W×4 was expected.{hint}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0:
        raise ImageError(f"An array of {'×'.join(map(str, array.shape))} holds no pixels.")
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        # Resampling in float leaves values a hair outside [0, 1]; NaN fails both comparisons.
        if not (low >= -1e-3 and high <= 1 + 1e-3):
            raise ImageError(f"Float arrays must lie in [0, 1], not from {low:g} to {high:g}; uint8 takes 0 to 255.")
        array = (np.clip(array.astype(np.float64), 0, 1) * 255 + 0.5).astype(np.uint8)
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        largest = f", such as array / {np.iinfo(array.dtype).max}" if array.dtype.kind == "u" else ""
        raise ImageError(
            f"Arrays must be uint8 (0 to 255) or floats in [0, 1], not {array.dtype}; divide it by the value that is "
            f"white{largest}."
        )
    return Image.fromarray(np.ascontiguousarray(array))
