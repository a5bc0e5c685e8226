"""The command line: explain pictures into a folder, make an export's maps again, serve the app, list what there is.

Nothing heavy is imported before a command needs it, so that help comes at once: each command is a module of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

from decam import __version__
from decam.cli.codes import BAD_INPUT, INTERRUPTED, OK
from decam.cli.terminal import say
from decam.errors import DecamError

DEFAULT_METHODS = ("de-cam", "grad-cam")
DEFAULT_CLASS_METHODS = ("input-agnostic",)
_FOLDER = "new or empty folder, or an earlier export to replace"


def main(arguments: Sequence[str] | None = None, program: str = "decam") -> int:
    """Run a command and return its exit code; `program` is what the user typed, as help repeats it.

    0: done; 1: a map could not be made, or is not the same again; 2: bad input, told in one sentence; 130: Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a letter gets a question mark
    try:
        options = _parser(program).parse_args(arguments)
        code: int = options.run(options)
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


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """The command of that name, whose module is imported when it runs."""

    def run(given: argparse.Namespace) -> int:
        module, _, function = name.rpartition(".")
        code: int = getattr(import_module(f"decam.cli.{module}"), function)(given)
        return code

    return run


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message}; see {self.prog} --help.")
        sys.exit(BAD_INPUT)


_LANES = ("live", "pilot", "simulated", "rehearsal")


def _study_commands(of_study: Any) -> None:
    """The commands on the studies of the data directory."""
    of_study.add_parser("list", help="list the studies").set_defaults(run=_command("studies.show"))
    named = {
        "analyse": "print the results: strengths, ratings, accuracy, clicks, preference beside faithfulness",
        "export": "write answers, codebook, results and a Psych-DS folder",
        "pack": "write the study for jsPsych and reVISit",
        "preregister": "print a preregistration under AsPredicted's headings",
        "simulate": "let simulated participants take part",
    }
    commands = {name: of_study.add_parser(name, help=help) for name, help in named.items()}
    for name, command in commands.items():
        command.add_argument("study", metavar="STUDY", help="the study's id, as 'study list' prints it")
        command.set_defaults(run=_command(f"studies.{name}"))
    for name in ("analyse", "export"):
        commands[name].add_argument(
            "--lane", choices=_LANES, default="live", help="whose answers (default: %(default)s)"
        )
    commands["analyse"].add_argument("--kept", action="store_true", help="leave out whom a rule flags")
    commands["analyse"].add_argument("--blinded", action="store_true", help="call methods by their letters")
    for name in ("export", "pack"):
        commands[name].add_argument("--out", metavar="DIR", required=True, help="a new or empty folder")
    commands["pack"].add_argument(
        "--sequences", type=int, default=20, help="how many sequences to write (default: %(default)s)"
    )
    commands["simulate"].add_argument(
        "--persona", default="noisy-rational", help="how they answer (default: %(default)s)"
    )
    commands["simulate"].add_argument("--count", type=int, default=20, help="how many (default: %(default)s)")
    commands["simulate"].add_argument(
        "--seed", type=int, default=0, help="of all random numbers (default: %(default)s)"
    )


def _port(text: str) -> int:
    """A number that a server can listen on."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a whole number from 1 to 65535")
    return int(text)


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a name that the command 'models' lists, or the path of a file of weights (.safetensors, .pt, .pth) for "
        "one of their networks; by default an ImageNet model that is here, else the smallest, which is fetched",
    )
    parser.add_argument("--device", help="cuda, mps or cpu; by default the first of these that is here")


def _parser(program: str = "decam") -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description="Why does this classifier give this image this class?")
    parser.add_argument("--version", action="version", version=f"decam {__version__}", help="print the version and end")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    explain = commands.add_parser("explain", help="explain images and write maps, curves and metrics into a folder")
    explain.add_argument("pictures", nargs="+", metavar="PICTURE", help="PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF file")
    explain.add_argument("--out", required=True, metavar="DIR", help=_FOLDER)
    _model_options(explain)
    explain.add_argument(
        *("--method", "-m"),
        action="append",
        metavar="NAME",
        help=f"a name that the command 'methods' lists; may be repeated (default: {' and '.join(DEFAULT_METHODS)})",
    )
    explain.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that the command 'metrics' lists, beside the curves of --fills; may be repeated",
    )
    explain.add_argument(
        "--truth",
        action="append",
        default=[],
        metavar="MASK",
        help="image file that is light where the object is; once for each image, in their order, '-' for none",
    )
    explain.add_argument("--target", metavar="CLASS", help="index, name or part of the name; by default the prediction")
    explain.add_argument(
        "--against", metavar="CLASS", help="explain why the target is not this class: index, name or part of the name"
    )
    explain.add_argument(
        "--framing",
        choices=("crop", "fit"),
        default="crop",
        help="crop the image as the model was made for, or fit all of it beside bars (default: %(default)s)",
    )
    explain.add_argument("--seed", type=int, default=0, help="of all random numbers (default: %(default)s)")
    explain.add_argument(
        "--set", action="append", default=[], metavar="NAME.SETTING=VALUE", help="such as de-cam.budget=500"
    )
    explain.add_argument(
        "--steps", type=int, default=50, help="of deletion and insertion curves (default: %(default)s)"
    )
    explain.add_argument(
        "--fills",
        action="append",
        nargs=2,
        default=[],
        metavar=("DELETION", "INSERTION"),
        help="what replaces pixels in each curve: blur, box-blur, mean, black, noise; may be repeated (default: mean "
        "blur, then blur mean); the tutorial's are mean box-blur, with --steps 196",
    )
    explain.set_defaults(run=_command("explaining.explain"))

    class_map = commands.add_parser("class-map", help="show what a model takes classes to be; no image is given")
    _model_options(class_map)
    class_map.add_argument("--out", required=True, metavar="DIR", help=_FOLDER)
    class_map.add_argument(
        *("--target", "-t"),
        action="append",
        default=[],
        metavar="CLASS",
        help="index, name or part of the name; may be repeated",
    )
    class_map.add_argument("--all", action="store_true", help="every class of the model")
    class_map.add_argument(
        "--unit",
        action="append",
        default=[],
        metavar="LAYER:CHANNEL",
        help="a channel of a layer instead of a class; may be repeated",
    )
    class_map.add_argument(
        *("--method", "-m"),
        action="append",
        metavar="NAME",
        help="a class-level name that the command 'methods' lists; may be repeated "
        f"(default: {' and '.join(DEFAULT_CLASS_METHODS)})",
    )
    class_map.add_argument(
        "--seed", type=int, action="append", help="of all random numbers; may be repeated (default: 0)"
    )
    class_map.add_argument(
        "--set", action="append", default=[], metavar="NAME.SETTING=VALUE", help="such as input-agnostic.norm=8"
    )
    class_map.set_defaults(run=_command("class_maps.class_map"))

    find_backdoor = commands.add_parser(
        "find-backdoor", help="say for which class of a model an attacker may have a trigger"
    )
    _model_options(find_backdoor)
    find_backdoor.add_argument("--out", metavar="DIR", help=f"also write the export: {_FOLDER}")
    find_backdoor.add_argument(
        "--seed", type=int, action="append", help="of all random numbers; may be repeated (default: 0, 1 and 2)"
    )
    find_backdoor.set_defaults(run=_command("backdoors.find_backdoor"))

    replay = commands.add_parser("replay", help="make the maps of an export again and compare them")
    replay.add_argument("settings", metavar="SETTINGS", help="settings.json of an export, with its images beside it")
    replay.add_argument("--out", metavar="DIR", help="write the maps made again here")
    replay.add_argument("--device", help="instead of the one the maps were made on")
    replay.set_defaults(run=_command("replaying.replay"))

    draw = commands.add_parser("draw", help="draw the maps of an export as a figure for a paper or one page to send")
    draw.add_argument("settings", metavar="SETTINGS", help="settings.json of an export, with its files beside it")
    draw.add_argument(
        "--out", metavar="FILE", required=True, help="what to write: .png (300 dpi), .svg, .pdf; .html is a whole page"
    )
    draw.add_argument("--curves", action="store_true", help="the curves of the metrics instead of the maps")
    draw.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME",
        help="a metric of the export whose values stand under each map of a figure; may be repeated",
    )
    draw.add_argument("--colours", metavar="NAME", help="of unsigned maps: magma (default), viridis or cividis")
    draw.add_argument("--opacity", type=float, metavar="SHARE", help="of maps over their images, from 0 to 1")
    draw.add_argument("--shared", action="store_true", help="one scale for all maps of a method")
    draw.add_argument("--extremes", action="store_true", help="colours run to the extremes; nothing is clipped")
    draw.add_argument("--by-rank", action="store_true", help="colours stand for the share of the map that is lower")
    draw.add_argument("--contours", action="store_true", help="lines about the top 5, 20 and 50 %% of each map")
    draw.set_defaults(run=_command("drawing.draw"))

    stimuli = commands.add_parser("stimuli", help="draw the maps of an export as blind stimuli for a study elsewhere")
    stimuli.add_argument("settings", metavar="SETTINGS", help="settings.json of an export, with its files beside it")
    stimuli.add_argument("--out", metavar="PLACE", required=True, help="new or empty folder, or a .zip file")
    stimuli.add_argument("--view", metavar="NAME", help="overlay (default), map, masked or area")
    stimuli.add_argument(
        "--area", type=int, metavar="PERCENT", help="of --view area: how much of each map is shown (default: 10)"
    )
    stimuli.add_argument("--size", type=int, metavar="PX", help="the longer side of all stimuli (default: 448)")
    stimuli.add_argument("--colours", metavar="NAME", help="of all maps: cividis (default), viridis or magma")
    stimuli.add_argument("--opacity", type=float, metavar="SHARE", help="of maps, from 0.1 to 1 (default: 0.6)")
    stimuli.add_argument(
        "--scale",
        metavar="NAME",
        help="rank (default), limits: each map's own, or method: the same for all maps of a method",
    )
    stimuli.add_argument("--seed", type=int, default=0, help="of the files' codes (default: %(default)s)")
    stimuli.set_defaults(run=_command("presenting.stimuli"))

    study = commands.add_parser("study", help="what belongs to studies with people")
    of_study = study.add_subparsers(required=True, metavar="WHAT", title="what")
    password = of_study.add_parser("password", help="hash the researchers' password, for Streamlit's secrets")
    password.set_defaults(run=_command("studies.password"))
    _study_commands(of_study)

    app = commands.add_parser("app", help="serve the dashboard, for the browser")
    app.add_argument("--port", type=_port, default=8501, help="where it is served (default: %(default)s)")
    app.add_argument(
        "--address",
        default="localhost",
        help="who may open it: localhost for this machine alone, 0.0.0.0 for the network (default: %(default)s)",
    )
    app.set_defaults(run=_command("serving.app"))

    for name, help in (
        ("models", "list the models"),
        ("methods", "list the methods and their settings"),
        ("metrics", "list the metrics and their settings"),
    ):
        commands.add_parser(name, help=help).set_defaults(run=_command(f"listing.{name}"))
    return parser
