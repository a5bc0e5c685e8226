"""The command line: explain pictures into a folder, make an export's maps again, list models and methods.

Nothing heavy is imported before a command needs it, so that help comes at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from decam.errors import DecamError, SettingError
from decam.terminal import Line, say, share, stopping

if TYPE_CHECKING:
    from decam.classifier import TorchClassifier
    from decam.events import Event
    from decam.export import Result
    from decam.images.reading import Picture
    from decam.methods import Method
    from decam.plan import MethodChoice
    from decam.settings import Parameter, Settings

OK, NOT_ALL, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
DEFAULT_METHODS = ("de-cam", "grad-cam")
SMALLEST_DOWNLOAD = "squeezenet1_0"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: done; 1: a map could not be made, or is not the same again; 2: bad input, told in one sentence; 130: Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a letter gets a question mark
    try:
        given = _parser().parse_args(arguments)
        code: int = given.run(given)
        sys.stdout.flush()
    except DecamError as error:
        say(f"decam: {error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        say("Interrupted before anything was written.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; the interpreter would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code


def explain(given: argparse.Namespace) -> int:
    """Explain pictures with one model and several methods, measure the maps and write the export."""
    from decam import export
    from decam.comparison import compare

    choices = method_choices(given.method or DEFAULT_METHODS, given.set)
    pictures = _pictures(given.pictures)
    classifier = _classifier(given.model or _default_model(), given.device)
    result = _asked(given, classifier, choices, pictures)
    folder = Path(given.out)
    if export.check_folder(folder):
        say(f"Note: the export in {folder} will be replaced.")
    with Line(sys.stderr) as line, stopping() as stop:
        with closing(compare(classifier, result.views, result.plan)) as events:
            for event in events:
                result = result.after(event)
                _tell(event, result, line)
                if stop.asked:
                    break
        return _written(result, folder, line, interrupted=stop.asked)


def replay(given: argparse.Namespace) -> int:
    """Make the maps of an export again and say whether they are the same."""
    from decam import export
    from decam.events import Explained
    from decam.replay import Remade, read, remake

    recording = read(Path(given.settings))
    plan = recording.plan
    out = Path(given.out) if given.out else None
    if out is not None and out.resolve() == recording.folder:
        raise SettingError(f"{out} holds the maps to compare with; give another folder.")
    for warning in recording.warnings:
        say(f"Note: {warning}")
    classifier = _classifier(plan.model, given.device or plan.device, exact=True)
    if plan.speed is not None:
        classifier.use(plan.speed)
    if out is not None:
        export.check_folder(out)
    result = export.Result(plan, tuple(classifier.labels), recording.views)
    pictures, methods = export.picture_names(plan), export.method_names(plan)
    same = 0
    with Line(sys.stderr) as line:
        for event in remake(recording, classifier):
            cell = event.recorded.cell
            name = f"{pictures[cell.picture]} {methods[cell.method]}"
            if isinstance(event, Remade):
                same += event.identical
                result = result.after(Explained(cell, event.explanation))
                line.clear()
                print(f"{name}: {event.verdict}", flush=True)
            else:
                line.show(f"{name} {share(event.progress.step, event.progress.total)}")
    if out is not None:
        export.write(result, out)
        say(f"Written to {out}.")
    total = len(recording.maps)
    print(f"{same} of {total} maps are identical." if total else "The export holds no maps.")
    return OK if same == total else NOT_ALL


def models(given: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes what was given
    """List the models with their size and whether their weights are here."""
    from decam.models.catalogue import ENTRIES

    print(f"{'name':20} {'parameters':>12} {'top-1':>8} {'download':>9}  weights")
    for entry in ENTRIES.values():
        top = "" if entry.top1 is None else f"{entry.top1:.1f} %"
        size = f"{entry.size / 1e6:.0f} MB" if entry.size else ""
        here = "here" if entry.present() else "not here yet"
        print(f"{entry.name:20} {entry.parameters:12,} {top:>8} {size:>9}  {here}")
    return OK


def methods(given: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes what was given
    """List the methods with their settings, by family."""
    from decam.methods import METHODS
    from decam.methods.families import grouped

    for family, rows in grouped(METHODS.values()):
        print(f"{family.title.upper()}: {family.summary}\n")
        for method in rows:
            print(f"{method.name}  ({method.title})\n    {method.summary}\n    {method.reference}")
            for parameter in method.settings.parameters():
                print(f"    --set {method.name}.{parameter.name}={parameter.default}  {_bounds(parameter)}".rstrip())
                print(f"        {parameter.help}")
            print()
    return OK


def method_choices(names: Sequence[str], pairs: Sequence[str]) -> tuple[MethodChoice, ...]:
    """Methods by name with settings given as "method.setting=value".

    Raises MethodError for an unknown method, SettingError for one given twice and for anything wrong with a setting.
    """
    from decam.methods import get
    from decam.plan import MethodChoice

    rows = [get(name) for name in names]
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f"--method {name} is given twice; give each method once.")
    values: dict[str, dict[str, object]] = {name: {} for name in names}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        name, dot, setting = path.strip().partition(".")
        if not equals or not dot:
            raise SettingError(f"--set takes METHOD.SETTING=VALUE, such as de-cam.budget=500, not {pair!r}.")
        row = get(name)
        if name not in values:
            raise SettingError(f"--set {pair} is for a method that is not asked for; add --method {name}.")
        values[name][setting] = _value(row, setting, text.strip())
    return tuple(MethodChoice(row.name, _settings(row, values[row.name])) for row in rows)


def _value(row: Method, setting: str, text: str) -> object:
    """The text of a value in the setting's own type; the text itself where it does not fit, for the check to refuse."""
    kind = next((parameter.kind for parameter in row.settings.parameters() if parameter.name == setting), str)
    if kind is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def _settings(row: Method, values: dict[str, object]) -> Settings:
    try:
        return row.settings.from_mapping(values)
    except SettingError as error:
        raise SettingError(f"{row.name}: {error}") from error


def _pictures(paths: Sequence[str]) -> tuple[Picture, ...]:
    """The pictures, all readable; what was special about a file is said."""
    from decam.images.reading import read

    pictures = []
    for path in map(Path, paths):
        # A name that is no valid text could not be written into CSV and JSON.
        picture = read(path, path.name.encode("utf-8", "replace").decode("utf-8"))
        for note in picture.notes:
            say(f"Note: {picture.name}: {note}")
        pictures.append(picture)
    return tuple(pictures)


def _default_model() -> str:
    """An ImageNet model that is here, else the one that is fetched soonest."""
    from decam.models import EMBEDDED, default_for

    name = default_for("photograph")
    return SMALLEST_DOWNLOAD if name == EMBEDDED else name


def _classifier(name: str, device: str | None, *, exact: bool = False) -> TorchClassifier:
    """The model, fetched first if its weights are not here, with progress."""
    from decam import device as devices
    from decam.models import catalogue, load_classifier

    entry = catalogue.get(name)
    devices.resolve(device)
    with Line(sys.stderr) as line:
        if not entry.present():
            line.note(f"Fetching {entry.title} ({entry.size / 1e6:.0f} MB) from {entry.url}")
            for step in catalogue.download(entry):
                line.show(f"{entry.title} {share(step.done, step.total)}")
        line.show(f"Loading {entry.title}")
        return load_classifier(name, device=device, exact=exact)


def _asked(
    given: argparse.Namespace,
    classifier: TorchClassifier,
    choices: tuple[MethodChoice, ...],
    pictures: tuple[Picture, ...],
) -> Result:
    """The plan that the arguments ask for, with views, and nothing done yet."""
    from decam.api import class_index
    from decam.export import Result
    from decam.plan import PictureChoice, Plan, fingerprint

    text = given.target
    target = class_index(classifier, int(text) if text and text.strip().isdecimal() else text)
    views = tuple(classifier.view(picture.image) for picture in pictures)
    plan = Plan(
        model=classifier.name,
        device=str(classifier.device),
        pictures=tuple(
            PictureChoice(picture.name, target, fingerprint(view))
            for picture, view in zip(pictures, views, strict=True)
        ),
        methods=choices,
        seed=given.seed,
        steps=given.steps,
        speed=classifier.speed,
    )
    return Result(plan, tuple(classifier.labels), views)


def _tell(event: Event, result: Result, line: Line) -> None:
    """Progress in words."""
    from decam.events import Explained, Explaining, Failed, Judged, Measuring, Predicted

    plan = result.plan
    if isinstance(event, Judged):
        line.show(f"{event.metric} measured")
        return
    if isinstance(event, Predicted):
        top = int(event.probabilities.argmax())
        picture = plan.pictures[event.picture].name
        line.note(f"{picture}: {result.labels[top]} ({event.probabilities[top]:.2f})")
        return
    title = plan.titles()[event.cell.method]
    name = f"{plan.pictures[event.cell.picture].name} · {title}"
    made = f"{len(result.explanations)} of {len(plan.pictures) * len(plan.methods)} maps"
    if isinstance(event, Explaining):
        progress = event.progress
        line.show(f"{made} · {name} {share(progress.step, progress.total)} · {progress.evaluations} evaluations")
    elif isinstance(event, Explained):
        done = event.explanation
        line.note(f"{name}: {done.evaluations} evaluations in {done.seconds:.1f} s")
        for note in done.notes:
            line.note(f"Note: {name}: {note}")
    elif isinstance(event, Measuring):
        picture = plan.pictures[event.cell.picture].name
        line.show(f"{made} · {picture} · curves {share(event.progress.step, event.progress.total)}")
    elif isinstance(event, Failed):
        line.note(f"{name}: {event.sentence}")


def _written(result: Result, folder: Path, line: Line, *, interrupted: bool) -> int:
    """Write what is finished, say what that is, and return the exit code."""
    from decam import export

    made, wanted = len(result.explanations), len(result.plan.pictures) * len(result.plan.methods)
    if not made:
        line.note(
            "Interrupted before any map was finished; nothing was written." if interrupted else "No map was made."
        )
        return INTERRUPTED if interrupted else BAD_INPUT
    line.show(f"Writing to {folder}")
    export.write(result, folder)
    line.clear()
    if interrupted:
        line.note(f"Interrupted: the {made} of {wanted} maps that were finished are in {folder}.")
        return INTERRUPTED
    _print_table(result)
    print(f"Written to {folder}.")
    return NOT_ALL if result.failures else OK


def _print_table(result: Result) -> None:
    """One line a map, with the areas of the first pair of fills."""
    names = [choice.name for choice in result.plan.pictures]
    width = max(7, *(len(name) for name in names))
    print(f"{'picture':{width}}  {'method':20}  {'deletion':>8}  {'insertion':>9}  {'evaluations':>11}  class")
    for cell, explanation in sorted(result.explanations.items()):
        measured = result.curves.get(cell, ())
        areas = [f"{measured[0].deletion.auc:.3f}", f"{measured[0].insertion.auc:.3f}"] if measured else ["", ""]
        asked = f"{explanation.label} ({explanation.probability:.2f})"
        row = f"{names[cell.picture]:{width}}  {explanation.method:20}  {areas[0]:>8}  {areas[1]:>9}"
        print(f"{row}  {explanation.evaluations:11,}  {asked}")


def _bounds(parameter: Parameter) -> str:
    if parameter.choices:
        return f"({', '.join(parameter.choices)})"
    if parameter.low is not None and parameter.high is not None:
        return f"({parameter.low:g} to {parameter.high:g})"
    return ""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message}; see {self.prog} --help.")
        sys.exit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m decam", description="Why does this classifier give this image this class?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    one = commands.add_parser("explain", help="explain pictures and write maps, curves and metrics into a folder")
    one.add_argument("pictures", nargs="+", metavar="PICTURE", help="PNG, JPEG, WebP, BMP, TIFF or GIF file")
    one.add_argument("--out", required=True, metavar="DIR", help="new or empty folder, or an earlier export to replace")
    one.add_argument(
        "--model", metavar="NAME", help="a name that the command 'models' lists; by default one that is here"
    )
    one.add_argument(
        *("--method", "-m"),
        action="append",
        metavar="NAME",
        help=f"a name that the command 'methods' lists; may be repeated (default: {' and '.join(DEFAULT_METHODS)})",
    )
    one.add_argument("--target", metavar="CLASS", help="index, name or part of the name; by default the prediction")
    one.add_argument("--seed", type=int, default=0, help="of all random numbers (default: %(default)s)")
    one.add_argument(
        "--set", action="append", default=[], metavar="METHOD.SETTING=VALUE", help="such as de-cam.budget=500"
    )
    one.add_argument("--steps", type=int, default=50, help="of deletion and insertion curves (default: %(default)s)")
    one.add_argument("--device", help="cuda, mps or cpu; by default the first of these that is here")
    one.set_defaults(run=explain)

    two = commands.add_parser("replay", help="make the maps of an export again and compare them")
    two.add_argument("settings", metavar="SETTINGS", help="settings.json of an export, with its pictures beside it")
    two.add_argument("--out", metavar="DIR", help="write the maps made again here")
    two.add_argument("--device", help="instead of the one the maps were made on")
    two.set_defaults(run=replay)

    commands.add_parser("models", help="list the models").set_defaults(run=models)
    commands.add_parser("methods", help="list the methods and their settings").set_defaults(run=methods)
    return parser
