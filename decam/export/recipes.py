"""What made a run, as text to copy: Python, a command, and the papers of its methods as BibTeX."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from decam.classifier import Execution
from decam.errors import SettingError
from decam.experiments.kinds import comparison
from decam.experiments.plan import USUAL_METRICS, MethodChoice, MetricChoice, Plan, usual_metrics
from decam.export.names import picture_names
from decam.images.framing import CROP, Framing
from decam.methods import described
from decam.metrics import get as get_metric

_NAME = r"[^\W\d_][\w'’-]+"
_AUTHORS = rf"(?:{_NAME} et al\.|{_NAME}(?:, {_NAME})*,? (?:&|and) {_NAME}|{_NAME})"
_PAPER = re.compile(rf"(?:(?P<authors>{_AUTHORS}), )?(?P<title>.+?) \((?P<year>\d{{4}})\)(?P<rest>.*)", re.DOTALL)
_SPECIAL = re.compile(r"[&%$#_{}]")
_KINDS = {"https://arxiv.org/abs/": "eprint", "https://doi.org/": "doi"}


def python_text(plan: Plan) -> str:
    """The plan of a comparison as Python that makes the same maps; pictures are named as the user's files were.

    A marked object is read from the ZIP's `truths`. Raises SettingError for a plan that is no comparison.
    """
    _check_comparison(plan)
    choices = sorted({"MethodChoice", *(["MetricChoice"] if plan.metrics else [])}, reverse=True)
    marked = any(picture.truth for picture in plan.pictures)
    others = [question.against for question in plan.questions]
    lines = [
        *(["import numpy as np", "from PIL import Image", ""] if marked else []),
        "import decam",
        *(["from decam.classifier import Execution"] if plan.execution else []),
        f"from decam.experiments.plan import {', '.join(sorted(choices))}",
        "",
        f"classifier = decam.load_classifier({plan.model!r}, device={plan.device!r})",
        *([f"classifier.configure({_execution(plan.execution)})"] if plan.execution else []),
        "grid = decam.compare(",
        "    classifier,",
        *_listed("", [repr(picture.name) for picture in plan.pictures]),
        *_listed("", [_choice("MethodChoice", one) for one in plan.methods]),
        *_listed("metrics=", [_choice("MetricChoice", one) for one in plan.metrics]),
        f"    targets={[question.target for question in plan.questions]},",
        *([f"    against={others},"] if any(other is not None for other in others) else []),
        *(_listed("truths=", list(_truths(plan))) if marked else []),
        f"    seed={plan.seed},",
        *([f"    framing={framing!r},"] if (framing := _framing(plan)) != CROP else []),
        ")",
    ]
    return "\n".join(lines) + "\n"


def command_text(plan: Plan) -> str:
    """The plan of a comparison as a command; raises SettingError, which says why, where the command line has no words.

    A command explains one class, or the predicted ones, and names a method and a metric once.
    """
    _check_comparison(plan)
    targets = {(question.target, question.against) for question in plan.questions}
    names = [choice.name for choice in plan.methods]
    curves, others = _curves(plan), [one for one in plan.metrics if one.name not in USUAL_METRICS]
    if len(targets) > 1:
        raise SettingError("A command explains one class, or each image's prediction; these images have several.")
    if any(names.count(name) > 1 for name in names):
        raise SettingError("A command names a method once, but this run has one twice; use the Python text.")
    if any(picture.truth for picture in plan.pictures):
        raise SettingError("A command takes masks of whole images, and this run has those of views; use the Python.")
    if curves is None or len({one.name for one in others}) < len(others):
        raise SettingError("A command cannot say these metrics; use the Python text.")
    parts = [["python -m decam explain", *(shlex.quote(picture.name) for picture in plan.pictures)]]
    parts += [["--model", shlex.quote(plan.model)], ["--device", shlex.quote(plan.device)]]
    for option, choices in (("--method", plan.methods), ("--metric", others)):
        for one in choices:
            parts.append([option, shlex.quote(one.name)])
            parts += [["--set", shlex.quote(f"{one.name}.{name}={value}")] for name, value in _changed(one).items()]
    fills, steps = curves
    parts += [["--steps", str(steps)], *(["--fills", *pair] for pair in fills)]
    for option, index in zip(("--target", "--against"), next(iter(targets)), strict=True):
        parts += [] if index is None else [[option, str(index)]]
    parts += [] if (framing := _framing(plan)) == CROP else [["--framing", framing]]
    parts += [["--seed", str(plan.seed)], ["--out", "maps"]]
    return " \\\n    ".join(" ".join(part) for part in parts) + "\n"


def bibtex(plan: Plan) -> str:
    """The papers of a plan's methods and metrics as BibTeX, each once; fields are those that the tables have."""
    methods = [described(choice.name) for choice in plan.methods]
    metrics = [get_metric(choice.name) for choice in plan.metrics]
    papers = [*((row.reference, row.url) for row in methods), *((row.reference, row.url) for row in metrics)]
    taken: set[str] = set()
    return "\n".join(entry(reference, url, taken) for reference, url in dict.fromkeys(papers))


def entry(reference: str, url: str, taken: set[str]) -> str:
    """A reference as an entry of BibTeX, under a key that is not `taken` yet and then is.

    Where it does not begin with authors, the entry has none; where it names no year, its whole text is the title.
    """
    found = _PAPER.fullmatch(reference)
    paper = found.groupdict(default="") if found else {"authors": "", "title": reference, "year": "", "rest": ""}
    authors = re.sub(r" et al\.$", " and others", paper["authors"])
    authors = re.sub(r",? (?:&|and) (?!others)|, ", " and ", authors)
    identifier = next(
        ((field, url.removeprefix(begin)) for begin, field in _KINDS.items() if url.startswith(begin)), None
    )
    fields = {
        "author": _escaped(authors),
        "title": f"{{{_escaped(paper['title'])}}}",
        "year": paper["year"],
        **({} if identifier is None else dict([identifier])),
        **({"archiveprefix": "arXiv"} if identifier is not None and identifier[0] == "eprint" else {}),
        "url": url,
        "note": _escaped(paper["rest"].strip(" ,")),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{_key(authors or paper['title'], paper['year'], taken)},", *lines, "}\n"])


def _key(begin: str, year: str, taken: set[str]) -> str:
    word = re.sub(r"[^a-z]", "", begin.split()[0].lower()) or "paper"
    keys = (f"{word}{year}{letter}" for letter in ("", *"abcdefghijklmnopqrstuvwxyz"))
    key = next(one for one in keys if one not in taken)
    taken.add(key)
    return key


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda sign: f"\\{sign[0]}", text)


def _framing(plan: Plan) -> Framing:
    """How all pictures are framed; raises SettingError where they differ."""
    framings = {picture.framing for picture in plan.pictures}
    if len(framings) > 1:
        raise SettingError("Some images of this run are cropped and some fitted; replay its export instead.")
    return framings.pop()


def _check_comparison(plan: Plan) -> None:
    """Raise SettingError unless the plan is what `comparison.plan` makes of its parts."""
    questions = plan.questions
    alike = plan.kind == comparison.COMPARISON and [one.picture for one in questions] == list(range(len(plan.pictures)))
    if not alike or any(
        question
        != dataclasses.replace(questions[0], picture=question.picture, target=question.target, against=question.against)
        or question.model.variant is not None
        or question.reference is not None
        for question in questions
    ):
        raise SettingError("Only a comparison can be copied as text; replay the export of this run instead.")


def _listed(name: str, items: Sequence[str]) -> Iterator[str]:
    """An argument with a line for each item of its list."""
    yield f"    {name}["
    for item in items:
        yield f"        {item},"
    yield "    ],"


def _choice(kind: str, choice: MethodChoice | MetricChoice) -> str:
    changed = "".join(f", {name}={value!r}" for name, value in _changed(choice).items())
    return f"{kind}.default({choice.name!r}{changed})"


def _changed(choice: MethodChoice | MetricChoice) -> Mapping[str, int | float | str | bool]:
    """The settings that are not the defaults."""
    standard = type(choice.settings)().to_mapping()
    return {name: value for name, value in choice.settings.to_mapping().items() if value != standard[name]}


def _execution(execution: Execution) -> str:
    standard = Execution()
    given = {one.name: getattr(execution, one.name) for one in dataclasses.fields(execution)}
    changed = [f"{name}={value!r}" for name, value in given.items() if value != getattr(standard, name)]
    return f"Execution({', '.join(changed)})"


def _truths(plan: Plan) -> Iterator[str]:
    for name, picture in zip(picture_names(plan), plan.pictures, strict=True):
        path = f"truths/{name}.png"
        yield f"np.asarray(Image.open({path!r})) > 127" if picture.truth else "None"


def _curves(plan: Plan) -> tuple[list[tuple[str, str]], int] | None:
    """The pairs of fills and the steps that give the plan's deletion and insertion; None where there are none."""
    chosen = [one for one in plan.metrics if one.name in USUAL_METRICS]
    values = [one.settings.to_mapping() for one in chosen]
    deletion, insertion = (
        [str(one["fill"]) for choice, one in zip(chosen, values, strict=True) if choice.name == name]
        for name in USUAL_METRICS
    )
    steps = {int(one["steps"]) for one in values}
    if len(steps) != 1 or not deletion or not insertion:
        return None
    longest = max(len(deletion), len(insertion))
    pairs = [
        (deletion[min(place, len(deletion) - 1)], insertion[min(place, len(insertion) - 1)]) for place in range(longest)
    ]
    return (pairs, steps.pop()) if set(usual_metrics(pairs, next(iter(steps)))) == set(chosen) else None
