"""A run as one HTML file that opens anywhere without a network: maps, curves, generations, values and settings."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as resources

from decam import __version__
from decam.classifier.certainty import decimal
from decam.errors import SettingError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.grid import Grid
from decam.experiments.history import Frame, in_hindsight
from decam.experiments.plan import MethodChoice, MetricChoice
from decam.explanation import ClassExplanation, Explanation
from decam.export.drawing import curves_bytes, has_curves
from decam.export.findings import TITLE, reading_html
from decam.export.markup import filled, script_json
from decam.export.standing import spending
from decam.figures.colours import lut, table_for
from decam.figures.layers import grey_png, heat_png, lines_png
from decam.figures.legend import SILENT, Scale, meaning, scale_of
from decam.figures.look import Look, finished, row_title, scales
from decam.figures.overlays import check_opacity, data_uri, png_bytes
from decam.images.framing import FIT
from decam.methods import described
from decam.methods.class_level.display import shown
from decam.metrics import get as get_metric
from decam.models.catalogue import title_of
from decam.numerals import score, several
from decam.spacing import evenly

MOST_FRAMES = 24
"""Moments of a search that the page holds, evenly many of those that were kept."""
HTML = "text/html"


@dataclass(frozen=True)
class _Making:
    """What all parts of a page are made from."""

    grid: Grid
    look: Look
    scales: Mapping[CellKey, Scale]


def page_bytes(grid: Grid, look: Look | None = None, created: str = "", *, name: str = "", remark: str = "") -> bytes:
    """What is finished of a grid as one HTML file; it asks for nothing outside itself.

    Maps begin as the look has them, and their opacity and lines can be changed there. `created` says when the run was
    made, as text; `name` and `remark` are its owner's words. Raises SettingError where no map is finished, and for an
    opacity out of bounds.
    """
    if not finished(grid):
        raise SettingError("No map is finished yet; a page needs at least one.")
    check_opacity((look or Look()).opacity)
    making = _Making(grid, look or Look(), scales(grid, look or Look()))
    percent = f"{100 * making.look.opacity:.0f}"
    return filled(
        _static("page.html"),
        {
            "version": __version__,
            "title": _text(name or f"Saliency maps of {title_of(grid.plan.model)}"),
            "css": _static("page.css"),
            "pictures": "".join(_pictures(grid)),
            "opacity": f"{making.look.opacity:g}",
            "percent": percent,
            "facts": _text(_facts(grid, created)),
            "remark": f'<p class="remark">{_text(remark)}</p>' if remark else "",
            "lines": " checked" if making.look.contours else "",
            "legend": _text(_legend(making)),
            "heads": "".join(_heads(grid)),
            "rows": "\n".join(_row(making, question) for question in range(len(grid.plan.questions))),
            "sections": "\n".join(_sections(grid)),
            "frames": script_json(_frames(making)),
            "js": _static("page.js"),
        },
    ).encode()


@cache
def _static(name: str) -> str:
    return (resources("decam.export") / "static" / name).read_text(encoding="utf-8")


def _text(value: str) -> str:
    return html.escape(value, quote=True)


def _facts(grid: Grid, created: str) -> str:
    plan = grid.plan
    subjects = several(len(plan.pictures), "image") if plan.pictures else ""
    methods = several(len(plan.methods), "method")
    facts = [subjects, methods, f"seed {plan.seed}", plan.device, created, f"made with decam {__version__}"]
    return " · ".join(fact for fact in facts if fact)


def _legend(making: _Making) -> str:
    if making.grid.plan.about_classes:
        return "Each map shows what the model takes a class to be; grey is zero."
    signs = sorted({described(choice.name).signed for choice in making.grid.plan.methods})
    return " ".join(f"{meaning(making.look.colours, signed, 'the class')}." for signed in signs)


def _pictures(grid: Grid) -> Iterator[str]:
    """One rule of style for each picture: it is in the file once, however many maps lie over it."""
    for place, view in enumerate(grid.views):
        yield f".picture-{place}{{background-image:url({data_uri(png_bytes(view))})}}\n"
        yield f".picture-{place}>.grey{{background-image:url({data_uri(grey_png(view))})}}\n"


def _heads(grid: Grid) -> Iterator[str]:
    yield f'<th scope="col">{"Class" if grid.plan.about_classes else "Image"}</th>'
    for title in grid.plan.titles():
        yield f'<th scope="col">{_text(title)}</th>'


def _row(making: _Making, question: int) -> str:
    grid = making.grid
    maps = [_cell(making, CellKey(question, method)) for method in range(len(grid.plan.methods))]
    picture = "" if grid.plan.about_classes else _stack(grid, question, "")
    made = next((one for key, one in finished(grid).items() if key.question == question), None)
    answer = "" if made is None else f'<span class="name soft">{_text(made.label)} {decimal(made.probability)}</span>'
    name = f'<span class="name">{_text(row_title(grid, question))}</span>'
    return f'<tr><th scope="row">{picture}{name}{answer}</th>{"".join(maps)}</tr>'


def _stack(grid: Grid, question: int, layers: str) -> str:
    """A picture with what lies over it."""
    height, width = grid.view_of(question).shape[:2]
    place = grid.plan.place_of(question)
    return f'<span class="stack picture-{place}" style="aspect-ratio:{width}/{height}">{layers}</span>'


def _cell(making: _Making, key: CellKey) -> str:
    cell = making.grid.cells[key]
    if cell.explanation is None:
        return f'<td><p class="failed">{_text(cell.error or "This map was not made.")}</p></td>'
    subject, title = row_title(making.grid, key.question), making.grid.plan.titles()[key.method]
    about = _text(f"{title} · {subject} · {cell.explanation.label}")
    button = (
        f'<button type="button" class="map" data-cell="{key.question}-{key.method}" data-title="{about}" '
        f'aria-label="Enlarge {about}">{_layers(making, key, cell.explanation)}</button>'
    )
    return f"<td>{button}{_bar(making, key, cell.explanation)}</td>"


def _layers(making: _Making, key: CellKey, made: Explanation) -> str:
    grid, scale = making.grid, making.scales[key]
    if isinstance(made, ClassExplanation):
        height, width = made.saliency.shape
        image = f'<img alt="" src="{data_uri(png_bytes(shown(made.map)))}">'
        return f'<span class="stack" style="aspect-ratio:{width}/{height}">{image}</span>'
    size = grid.view_of(key.question).shape[:2]
    heat = heat_png(scale, described(made.method).signed, making.look.colours, (size[0], size[1]))
    lines = "" if made.silent else data_uri(lines_png(made.saliency, (size[0], size[1])))
    return _stack(
        grid,
        key.question,
        f'<span class="grey"></span><img class="heat" alt="" src="{data_uri(heat)}">'
        + (f'<img class="lines" alt="" src="{lines}">' if lines else ""),
    )


def _bar(making: _Making, key: CellKey, made: Explanation) -> str:
    """A colour bar, and its ends in words."""
    if isinstance(made, ClassExplanation):
        return ""
    text = making.scales[key].text
    if text == SILENT:
        return f'<span class="ends">{SILENT}</span>'
    signed = described(made.method).signed
    ramp = data_uri(png_bytes(lut(table_for(making.look.colours, signed))[None, int(signed) :]))
    return f'<img class="ramp" alt="" src="{ramp}"><span class="ends">{_text(text)}</span>'


def _sections(grid: Grid) -> Iterator[str]:
    """What stands under the maps: findings, values, curves and settings, each where there are any."""
    if found := reading_html(grid):
        yield f'<section class="findings"><h2>{TITLE}</h2>\n{found}</section>'
    if grid.plan.metrics and grid.plan.pictures:
        yield f"<h2>Metrics</h2>\n{_values(grid)}"
    if has_curves(grid):
        curves = data_uri(curves_bytes(grid, "svg"), "image/svg+xml")
        alternative = "Curves of the metrics, one line a method; the table above has the value of each curve."
        yield f'<h2>Curves</h2>\n<img class="curves" alt="{alternative}" src="{curves}">'
    yield f"<h2>Settings</h2>\n<pre>{_text(_settings(grid))}</pre>"
    notes = list(_notes(grid))
    if notes:
        yield f"<h2>Notes</h2>\n<ul>{''.join(f'<li>{_text(note)}</li>' for note in notes)}</ul>"


def _values(grid: Grid) -> str:
    titles, methods = grid.plan.metric_titles(), grid.plan.titles()
    arrows = {choice.key: get_metric(choice.name).arrow for choice in grid.plan.metrics}
    heads = ["Image", "Method", *(f"{title} {arrows[key]}" for key, title in titles.items()), "Evaluations"]
    head = "".join(
        f'<th scope="col"{" class=number" * (place > 1)}>{_text(one)}</th>' for place, one in enumerate(heads)
    )
    rows = [
        f'<tr><th scope="row">{_text(row_title(grid, key.question))}</th><td>{_text(methods[key.method])}</td>'
        f"{''.join(_number(one) for one in _measured(grid.cells[key], titles))}"
        f'<td class="number">{made.evaluations:,}</td></tr>'
        for key, made in finished(grid).items()
    ]
    table = f'<table class="values"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    words = f'<p class="soft">↑ higher is better, ↓ lower is better. In all {spending(grid)}.</p>'
    return f'{words}<div class="across" tabindex="0" role="region" aria-label="Metrics">{table}</div>'


def _measured(cell: Cell, keys: Mapping[str, str]) -> list[float]:
    return [cell.measurements[key].value if key in cell.measurements else math.nan for key in keys]


def _number(value: float) -> str:
    text = score(value) if math.isfinite(value) else "–"
    return f'<td class="number">{text}</td>'


def _settings(grid: Grid) -> str:
    """The model, how images are framed where that is not its own way, and each method and metric with its settings."""
    framings = dict.fromkeys(picture.framing for picture in grid.plan.pictures)
    lines = [f"model {grid.plan.model}", *([f"framing {', '.join(framings)}"] if FIT in framings else [])]
    choices: list[MethodChoice | MetricChoice] = [*grid.plan.methods, *grid.plan.metrics]
    for choice in choices:
        values = ", ".join(f"{name}={value}" for name, value in choice.settings.to_mapping().items())
        lines.append(f"{choice.name}({values})")
    return "\n".join(lines)


def _notes(grid: Grid) -> Iterator[str]:
    titles = grid.plan.titles()
    for key, made in finished(grid).items():
        for note in made.notes:
            yield f"{titles[key.method]} · {row_title(grid, key.question)}: {note}"


def _frames(making: _Making) -> dict[str, list[dict[str, str]]]:
    """The moments of each search that has any, by the places of its map."""
    found = {}
    for key, made in finished(making.grid).items():
        series = [one for one in described(made.method).series if not one.detail]
        frames = [frame for frame in making.grid.cells[key].frames if frame.curves]
        pictured = [
            (place, frame)
            for place, frame in enumerate(in_hindsight(frames, made.fitness), start=1)
            if frame.saliency is not None
        ]
        if series and pictured and not isinstance(made, ClassExplanation):
            names = {one.name: one.title for one in series}
            found[f"{key.question}-{key.method}"] = [
                _moment(making, made, frame, f"{place} of {len(frames)}", names)
                for place, frame in (pictured[number] for number in evenly(len(pictured), MOST_FRAMES))
            ]
    return found


def _moment(making: _Making, made: Explanation, frame: Frame, number: str, names: Mapping[str, str]) -> dict[str, str]:
    values = frame.values()
    assert values is not None  # only frames with a map are asked about
    signed = described(made.method).signed
    scale = scale_of(values, signed, by_rank=making.look.ranks, extremes=making.look.extremes)
    height, width = values.shape
    told = [f"{title} {frame.curves[name]:.3f}" for name, title in names.items() if name in frame.curves][:1]
    text = " · ".join([f"generation {number}", f"{frame.evaluations:,} evaluations", *told])
    return {"map": data_uri(heat_png(scale, signed, making.look.colours, (height, width))), "text": text}
