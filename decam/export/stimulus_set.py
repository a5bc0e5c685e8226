"""The maps of a run as stimuli for a study elsewhere: one size and one look, blind names, and a table that unblinds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from decam.classifier import Pixels
from decam.errors import SettingError, StoreError
from decam.experiments.cells import CellKey
from decam.experiments.explain import seed_of
from decam.experiments.grid import Grid
from decam.experiments.plan import MethodChoice
from decam.explanation import ClassExplanation, Explanation
from decam.export.tables import csv_bytes, model_name, number
from decam.figures.look import finished
from decam.figures.overlays import png_bytes
from decam.figures.stimulus import AREA, SHARED, Display, RawMap, area_of, drawn, ends_of, enlarged, shared_ends
from decam.files import write_atomically, zipped
from decam.images.framing import FIT
from decam.images.scenes.rng import PortableRng
from decam.methods import described
from decam.metrics.scales import Limits
from decam.models.catalogue import title_of

ENDING = ".zip"
FIRST, OTHERS = "bcdfghjkmnpqrstvwxz", "bcdfghjkmnpqrstvwxz23456789"
"""The signs of a code: it begins with a letter, spells no word, and has none that is taken for another."""
LENGTH = 6
_CODES = 71  # what the stream of random numbers is for
HEAD = (
    *("code", "file", "picture", "model", "class", "probability", "method", "settings", "seed", "look"),
    *("limit low", "limit high", "area wanted", "area got", "silent", "SHA-256"),
)
CODEBOOK = """\
{count} stimuli, {width} × {height} pixels each, made with decam from maps of {model}.

stimuli/       one PNG a map, named by its code; nothing is written into the images
manifest.csv   what each code stands for: keep it from participants and from whoever rates blindly

Look of all stimuli: {look}.
{manner}{framing}
Codes are drawn by chance from the seed {seed}: nothing can be read off a code or off the order of the files. The same
maps, look and seed give the same files, byte for byte; another seed gives other codes.
{missing}
Columns of manifest.csv
code           the name of the file without its ending
file           where the stimulus is, from the folder of this text
picture        the name of the image that was explained
model          the model that was asked, with the variant where it is one
class          the class that the map explains
probability    what the model gives that class on the bare image, from 0 to 1
method         the method that made the map
settings       the method's settings
seed           where the random numbers of the map began
look           how the stimulus is drawn
limit low      the value at the lower end of the colours; empty where no colours are shown
limit high     the value at their upper end; both are 0 where a map is drawn flat
area wanted    the share of the image that was to be shown, from 0 to 1; empty for other views
area got       the share of the file's pixels that is shown: a whole number of pixels comes nearest to what was wanted
silent         "yes" where a map is mere rounding or chance: it is drawn flat, and an area of it is by chance
SHA-256        of the file
"""
BY_RANK = "Colours stand for the share of a map that is lower, from 0 to 1, in all maps alike."
OWN = "Colours run from a map's own lowest value to its 99th percentile."
BY_METHOD = "Colours run between the same two values in all maps of a method."
BY_AREA = (
    "Of each map the same number of pixels is shown, those with its highest values; grey (128, 128, 128) covers the\n"
    "rest. Equal values are taken in an order drawn by chance once, the same for all stimuli. A shown pixel of\n"
    "exactly this grey is (128, 128, 129), so that the area can be counted in the file."
)
FITTED = "\nImages are fitted into the model's input: bars beside them have its mean colour, and are no part of them."
_MANNERS = {"rank": BY_RANK, "limits": OWN, SHARED: BY_METHOD}


@dataclass(frozen=True)
class _Drawn:
    """A stimulus as its file, and what the table says of it beside its code."""

    content: bytes
    size: tuple[int, int]
    facts: tuple[object, ...]
    ends: tuple[object, ...]


def stimulus_files(grid: Grid, display: Display | None = None, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Every file of a set of stimuli as (name with forward slashes, bytes): stimuli by their codes, then the tables.

    Each finished map of the grid is a stimulus, drawn as `display` says. `seed` decides the codes. Raises SettingError
    for a run about classes, for one without a finished map, and for pictures of several sizes.
    """
    seed, display = seed_of(seed), display or Display()
    maps = _maps(grid)
    codes = codes_of(len(maps), seed)
    ends = _shared(grid, maps, display)
    coded = sorted(zip(codes, maps.items(), strict=True))
    rows: list[tuple[object, ...]] = []
    sizes: set[tuple[int, int]] = set()
    for code, (key, explanation) in coded:
        made = _drawn(grid, key, explanation, display, ends.get(key.method))
        name = f"stimuli/{code}.png"
        sizes.add(made.size)
        if len(sizes) > 1:
            raise SettingError("The run's images have several sizes, but stimuli have one; make a run for each size.")
        yield name, made.content
        look, sha256 = in_words(display), hashlib.sha256(made.content).hexdigest()
        rows.append((code, name, *made.facts, look, *made.ends, "yes" if explanation.silent else "", sha256))
    yield "manifest.csv", csv_bytes(HEAD, rows)
    yield "codebook.txt", _codebook(grid, display, seed, len(maps), next(iter(sizes)))


def stimulus_zip(grid: Grid, display: Display | None = None, seed: int = 0) -> bytes:
    """A set of stimuli as one ZIP, the same bytes for the same grid, look and seed; errors are `stimulus_files`'s."""
    return zipped(stimulus_files(grid, display, seed))


def write_stimuli(grid: Grid, out: Path, display: Display | None = None, seed: int = 0) -> int:
    """Write a set of stimuli into a new or empty folder, or a file that ends in .zip; how many stimuli there are.

    Raises StoreError where a folder has anything in it or the disk refuses; further errors are `stimulus_files`'s.
    """
    try:
        if out.suffix.lower() == ENDING:
            content = stimulus_zip(grid, display, seed)
            out.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(out, content)
            return len(_maps(grid))
        if out.is_dir() and any(out.iterdir()):
            raise StoreError(f"{out} is not empty; give a new or an empty folder, or a file that ends in {ENDING}.")
        files = dict(stimulus_files(grid, display, seed))  # made first: a folder has all of them or none
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
    except OSError as error:
        raise StoreError(f"{out} cannot be written ({error.strerror or error}); give another place.") from error
    return len(_maps(grid))


def example(grid: Grid, display: Display) -> tuple[CellKey, Pixels]:
    """The first map of the grid as a stimulus, and whose it is; raises SettingError as `stimulus_files` does."""
    maps = _maps(grid)
    key = next(iter(maps))
    return key, _pixels(grid, key, maps[key], display, _shared(grid, maps, display).get(key.method))


def codes_of(count: int, seed: int) -> tuple[str, ...]:
    """So many different codes by chance; the same seed gives the same codes."""
    rng = PortableRng((seed, _CODES))
    found: dict[str, None] = {}
    while len(found) < count:
        signs = [FIRST[rng.whole(len(FIRST))], *(OTHERS[rng.whole(len(OTHERS))] for _ in range(LENGTH - 1))]
        found["".join(signs)] = None
    return tuple(found)


def in_words(display: Display) -> str:
    """How stimuli are drawn, in words."""
    if display.view == AREA:
        return f"the top {display.area} % of each map, the rest covered"
    scale = {"rank": "by rank", "limits": "each map's own limits", SHARED: "one scale a method"}[display.scale]
    words = {
        "overlay": f"map over the image, {display.colours}, opacity {round(100 * display.opacity)} %",
        "map": f"map alone, {display.colours}",
        "masked": "image where the map is high",
    }
    return f"{words[display.view]}, {scale}"


def _maps(grid: Grid) -> Mapping[CellKey, Explanation]:
    if grid.plan.about_classes:
        raise SettingError("This run is about classes, not images; stimuli are made of maps of images.")
    maps = {key: made for key, made in finished(grid).items() if not isinstance(made, ClassExplanation)}
    if not maps:
        raise SettingError("No map is finished yet; stimuli need at least one.")
    return maps


def _raw(explanation: Explanation) -> RawMap:
    return RawMap(explanation.saliency, described(explanation.method).signed, explanation.silent)


def _shared(grid: Grid, maps: Mapping[CellKey, Explanation], display: Display) -> Mapping[int, Limits]:
    """The ends of all maps of a method, by the methods' places, where the display wants them shared."""
    if display.scale != SHARED:
        return {}
    return {
        method: shared_ends(_raw(made) for key, made in maps.items() if key.method == method)
        for method in range(len(grid.plan.methods))
    }


def _pixels(grid: Grid, key: CellKey, explanation: Explanation, display: Display, shared: Limits | None) -> Pixels:
    return drawn(enlarged(grid.view_of(key.question), display.size), _raw(explanation), display, shared)


def _drawn(grid: Grid, key: CellKey, explanation: Explanation, display: Display, shared: Limits | None) -> _Drawn:
    raw, plan = _raw(explanation), grid.plan
    pixels = _pixels(grid, key, explanation, display, shared)
    facts = (
        *(plan.picture_of(key.question).name, model_name(plan, key.question)),
        *(explanation.label, number(explanation.probability)),
        *(explanation.method, _settings(plan.methods[key.method]), explanation.seed),
    )
    if display.view == AREA:
        ends: tuple[object, ...] = ("", "", f"{display.area / 100:.9g}", f"{area_of(pixels):.9g}")
    else:
        low, high = ends_of(raw, display.scale) if shared is None or raw.silent else shared
        ends = (number(low), number(high), "", "")
    return _Drawn(png_bytes(pixels), (pixels.shape[1], pixels.shape[0]), facts, ends)


def _settings(choice: MethodChoice) -> str:
    return ", ".join(f"{name}={value}" for name, value in choice.settings.to_mapping().items())


def _codebook(grid: Grid, display: Display, seed: int, count: int, size: tuple[int, int]) -> bytes:
    absent = len(grid.cells) - count
    missing = f"{absent} of the run's {len(grid.cells)} maps failed or were not made; they are no stimuli.\n"
    return CODEBOOK.format(
        count=count,
        width=size[0],
        height=size[1],
        model=title_of(grid.plan.model),
        look=in_words(display),
        manner=BY_AREA if display.view == AREA else _MANNERS[display.scale],
        framing=FITTED if any(picture.framing == FIT for picture in grid.plan.pictures) else "",
        seed=seed,
        missing=missing if absent else "",
    ).encode()
