"""Finished maps of runs become a study's stimuli: they are copied, so that no run can change the study later."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from decam.classifier import Pixels
from decam.experiments.cells import Cell, CellKey
from decam.experiments.plan import MethodChoice, MetricChoice, Plan, fingerprint, method_titles
from decam.export.names import slug
from decam.figures.stimulus import Display, RawMap, drawn, enlarged
from decam.files import json_digest
from decam.methods import described
from decam.runs.snapshots import RunSnapshot
from decam.studies import catches, frozen
from decam.studies.assignment import letters
from decam.studies.catches import CATCHES, Catch
from decam.studies.design import USES, Condition, FrozenMap, Stimulus, Study, StudyError
from decam.studies.drawing import Ends, ends_by_condition, keep_picture
from decam.studies.tasks.base import NO_MAP

METHOD = "method"
_CATCHES = frozenset(catch.name for catch in CATCHES)
_NUMBER = re.compile(r"-\d+$")
"""What follows a method's name in the key of a condition, where the method comes again with other settings."""


@dataclass(frozen=True)
class Subject:
    """A picture that one model was asked about in finished runs, with the class of each such question.

    `key` is a digest of the model and the picture. `asked` names the questions by their runs and places. `finished`
    has the keys of the methods with a finished map of it.
    """

    key: str
    name: str
    model: str
    view: Pixels = field(repr=False, compare=False)
    asked: tuple[tuple[str, int], ...]
    labels: tuple[str, ...]
    finished: frozenset[str]


@dataclass(frozen=True)
class OfferedMethod:
    """A method of some runs, with the settings it had there; `key` becomes the key of its condition."""

    key: str
    title: str
    choice: MethodChoice


@dataclass(frozen=True)
class Offer:
    """What runs offer a study: pictures, methods, and the built-in conditions that can be had for all of them."""

    subjects: tuple[Subject, ...]
    methods: tuple[OfferedMethod, ...]
    catches: tuple[Catch, ...]


@dataclass(frozen=True)
class Wanted:
    """What is taken from an offer.

    `pictures` says for each subject's key which blocks it is for; `correct` says for some of them which class is
    really shown. `methods` and `catches` name the conditions. `seed` decides letters and random maps.
    """

    pictures: Mapping[str, str]
    methods: tuple[str, ...]
    catches: tuple[str, ...] = ()
    correct: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0


def offered(runs: Sequence[RunSnapshot]) -> Offer:
    """What can be taken from these runs: only finished maps of pictures, by models as they were trained."""
    methods = _methods(runs)
    subjects = _subjects(runs, {one.choice: one.key for one in methods})
    controls_there = {one.key for one in methods if one.choice.name in _CATCHES}
    possible = tuple(catch for catch in CATCHES if not catch.from_run or catch.name in controls_there)
    return Offer(subjects, tuple(one for one in methods if one.choice.name not in _CATCHES), possible)


def freeze(
    runs: Sequence[RunSnapshot], wanted: Wanted, display: Display, folder: Path
) -> tuple[tuple[Condition, ...], tuple[Stimulus, ...]]:
    """Copy the wanted maps into `folder`, drawn as `display` says; the conditions and stimuli of the study.

    Of several maps of the same picture, class and condition, the first in the order of the runs is taken. The same call
    again gives the same value and writes nothing. Raises StudyError where a map is missing, or the disk refuses.
    """
    offer = offered(runs)
    conditions = _conditions(offer, wanted)
    found = {subject.key: subject for subject in offer.subjects}
    unknown = [key for key in wanted.pictures if key not in found]
    if unknown or not wanted.pictures:
        raise StudyError("Choose at least one image that the chosen runs have finished maps of.")
    freezing = _Freezing(runs, conditions, wanted, display, folder)
    chosen = {key: (found[key], freezing.raw_maps(found[key])) for key in wanted.pictures}
    ends = ends_by_condition((one for _, maps in chosen.values() for one in maps), display)
    stimuli = [freezing.stimulus(subject, maps, ends) for subject, maps in chosen.values()]
    return conditions, _named(stimuli)


def joined(study: Study, conditions: Sequence[Condition], stimuli: Sequence[Stimulus]) -> Study:
    """The study with further stimuli and conditions; what it has already stays as it is.

    A method is the same condition only with the same settings; with other settings it becomes one more. Raises
    StudyError where the study has the method and does not say with which settings.
    """
    keys = _keys(study, conditions, stimuli)
    titles = [one.title for one in study.conditions]
    more: list[Condition] = []
    for one in conditions:
        if all(other.key != keys[one.key] for other in study.conditions):
            number = next(n for n in itertools.count(1) if _numbered(one.title, n) not in titles)
            titles.append(_numbered(one.title, number))
            more.append(dataclasses.replace(one, key=keys[one.key], title=titles[-1]))
    used = {one.letter for one in study.conditions}
    free = [one for one in letters(len(used) + len(more), study.assignment.seed) if one not in used]
    relettered = [dataclasses.replace(one, letter=letter) for one, letter in zip(more, free, strict=False)]
    pictures = {(one.view, one.model) for one in study.stimuli}
    added = [_rekeyed(one, keys) for one in stimuli if (one.view, one.model) not in pictures]
    return dataclasses.replace(
        study, conditions=(*study.conditions, *relettered), stimuli=_named([*study.stimuli, *added])
    )


def _keys(study: Study, conditions: Sequence[Condition], stimuli: Sequence[Stimulus]) -> dict[str, str]:
    """What each of the further conditions is called in the study, by its key among the others."""
    same = {one.settings: one.key for one in study.conditions if one.settings}
    taken = {one.key for one in study.conditions}
    made: dict[str, str] = {}
    for one in conditions:
        if one.settings in same:
            made[one.key] = same[one.settings]
        elif not one.settings:  # a built-in condition, which has none
            made[one.key] = one.key
        else:
            made[one.key] = _kept_key(study, stimuli, one) or next(key for key in _keys_of(one.key) if key not in taken)
        taken.add(made[one.key])
    return made


def _kept_key(study: Study, stimuli: Sequence[Stimulus], condition: Condition) -> str:
    """The key of the same method with the same maps, of those whose settings were not kept; empty without any such.

    Raises StudyError where there are some, but no map says whether they had these settings.
    """
    method = _NUMBER.sub("", condition.key)
    unknown = [one for one in study.conditions
               if one.source == METHOD and not one.settings and _NUMBER.sub("", one.key) == method]  # fmt: skip
    alike = [one.key for one in unknown if _alike(study, one.key, stimuli, condition.key)]
    if unknown and not alike:
        raise StudyError(
            f"{condition.title} cannot be added: {unknown[0].title} is in this study already, which does not say with "
            "which settings. Make a new study from all the runs."
        )
    return alike[0] if alike else ""


def _keys_of(key: str) -> Iterator[str]:
    """The key itself, then the method's name with numbers."""
    yield key
    for number in itertools.count(2):
        yield f"{_NUMBER.sub('', key)}-{number}"


def _alike(study: Study, old: str, stimuli: Sequence[Stimulus], new: str) -> bool:
    """Whether both conditions have maps of some picture, model and class, and all of those are the same."""
    before, after = _arrays(study.stimuli, old), _arrays(stimuli, new)
    both = before.keys() & after.keys()
    return bool(both) and all(before[one] == after[one] for one in both)


def _arrays(stimuli: Sequence[Stimulus], condition: str) -> dict[tuple[str, str, str], str]:
    """The arrays of a condition's maps by picture, model and class."""
    return {
        (stimulus.view, stimulus.model, one.label): one.array
        for stimulus in stimuli
        for one in stimulus.maps
        if one.condition == condition
    }


def _rekeyed(stimulus: Stimulus, keys: Mapping[str, str]) -> Stimulus:
    maps = tuple(dataclasses.replace(one, condition=keys[one.condition]) for one in stimulus.maps)
    return dataclasses.replace(stimulus, maps=maps)


def _numbered(title: str, number: int) -> str:
    return f"{title} ({number})" if number > 1 else title


def _settings_of(choice: MethodChoice) -> str:
    """A digest of a method with its settings."""
    return json_digest([choice.name, choice.settings.to_mapping()])[:16]


def _methods(runs: Sequence[RunSnapshot]) -> tuple[OfferedMethod, ...]:
    """The methods of all runs, each once with the same settings; the second of a name has a number in its key."""
    choices = list(dict.fromkeys(choice for run in runs for choice in run.plan.methods if not run.plan.about_classes))
    made: list[OfferedMethod] = []
    for choice, title in zip(choices, method_titles(choices), strict=True):
        before = sum(one.choice.name == choice.name for one in made)
        made.append(OfferedMethod(f"{choice.name}-{before + 1}" if before else choice.name, title, choice))
    return tuple(made)


def _subjects(runs: Sequence[RunSnapshot], keys: Mapping[MethodChoice, str]) -> tuple[Subject, ...]:
    made: dict[str, Subject] = {}
    for run in runs:
        for place, question in enumerate(() if run.plan.about_classes else run.plan.questions):
            finished = [
                keys[choice]
                for method, choice in enumerate(run.plan.methods)
                if run.cells[CellKey(place, method)].explanation is not None
            ]
            if question.model.variant is not None or not finished:
                continue
            view = run.grid.view_of(place)
            model = question.model
            key = hashlib.sha256(f"{model.name}\n{model.sha256}\n{fingerprint(view)}".encode()).hexdigest()[:16]
            label = run.grid.asked_of(place)
            subject = made.get(key) or Subject(
                key, run.plan.picture_of(place).name, model.name, view, (), (), frozenset()
            )
            made[key] = dataclasses.replace(
                subject,
                asked=(*subject.asked, (run.id, place)),
                labels=tuple(dict.fromkeys((*subject.labels, label))),
                finished=subject.finished | set(finished),
            )
    return tuple(made.values())


def _conditions(offer: Offer, wanted: Wanted) -> tuple[Condition, ...]:
    titles = {one.key: one.title for one in offer.methods}
    settings = {one.key: _settings_of(one.choice) for one in offer.methods}
    possible = {catch.name: catch for catch in offer.catches}
    for key in wanted.methods:
        if key not in titles:
            raise StudyError(f"The chosen runs have no method {key!r}; they have: {', '.join(titles) or 'none'}.")
    for name in wanted.catches:
        if name not in possible:
            raise StudyError(f"{catches.get(name).title}: no chosen run has such a map; run that control, or leave it.")
    made = [Condition(key, titles[key], settings=settings[key]) for key in wanted.methods]
    made += [Condition(name, possible[name].title, name, catch=possible[name].catch) for name in wanted.catches]
    if not made:
        raise StudyError("Choose at least one method or built-in condition.")
    shuffled = letters(len(made), wanted.seed)
    return tuple(dataclasses.replace(one, letter=letter) for one, letter in zip(made, shuffled, strict=True))


@dataclass(frozen=True)
class _Freezing:
    """Makes stimuli of subjects."""

    runs: Sequence[RunSnapshot]
    conditions: tuple[Condition, ...]
    wanted: Wanted
    display: Display
    folder: Path

    def raw_maps(self, subject: Subject) -> list[tuple[FrozenMap, RawMap]]:
        """All maps of the subject as they are, without their pictures."""
        found = self._found(subject)
        return [*found, *self._built_in(subject, {(one.condition, one.label) for one, _ in found})]

    def stimulus(self, subject: Subject, raw_maps: Sequence[tuple[FrozenMap, RawMap]], ends: Ends) -> Stimulus:
        """The subject with all its maps, which are in the folder then, drawn between the `ends` of their conditions."""
        by_id = {run.id: run for run in self.runs}
        view = enlarged(subject.view, self.display.size)
        maps = [self._kept(view, one, raw, ends) for one, raw in raw_maps]
        label = self._main_label(subject, maps)
        target = next(target for target, asked in self._asked(subject) if asked == label)
        run, place = subject.asked[0]
        grid = by_id[run].grid
        use = self.wanted.pictures[subject.key]
        if use not in USES:
            raise StudyError(f"An image is for {use!r}, but must be for one of: {', '.join(USES)}.")
        return Stimulus(
            key=subject.key,
            name=subject.name,
            image=keep_picture(self.folder, view),
            width=view.shape[1],
            height=view.shape[0],
            model=subject.model,
            target=target,
            label=label,
            guesses=tuple((grid.label_of(index), float(value)) for index, value in grid.predictions[place] or ()),
            maps=tuple(maps),
            correct=self.wanted.correct.get(subject.key, ""),
            use=use,
            view=keep_picture(self.folder, subject.view),
        )

    def _found(self, subject: Subject) -> list[tuple[FrozenMap, RawMap]]:
        """The finished maps of the runs, the first of each condition and class."""
        keys = {one.choice: one.key for one in _methods(self.runs)}
        wanted = {one.key for one in self.conditions}
        made: dict[tuple[str, str], tuple[FrozenMap, RawMap]] = {}
        by_id = {run.id: run for run in self.runs}
        for run_id, place in subject.asked:
            run = by_id[run_id]
            target = run.grid.target_of(place)
            label = run.grid.asked_of(place)
            for method, choice in enumerate(run.plan.methods):
                cell, key = run.cells[CellKey(place, method)], keys[choice]
                if key in wanted and cell.explanation is not None and (key, label) not in made:
                    origin = FrozenMap(
                        key,
                        -1 if target is None else target,
                        label,
                        "",
                        "",
                        run_id,
                        place,
                        method,
                        _values(cell, run.plan),
                    )
                    signed = described(choice.name).signed
                    array = RawMap(cell.explanation.saliency, signed, cell.explanation.silent)
                    made[key, label] = (origin, array)
        return list(made.values())

    def _built_in(self, subject: Subject, there: set[tuple[str, str]]) -> list[tuple[FrozenMap, RawMap]]:
        """The built-in maps that no run has, for every class that was asked about."""
        made = []
        for condition in self.conditions:
            make = catches.get(condition.source).make if condition.source in _CATCHES else None
            for target, label in self._asked(subject) if make is not None else ():
                if make is not None and (condition.key, label) not in there:
                    saliency = make(subject.view, catches.seed_of(self.wanted.seed, subject.key, label))
                    made.append((FrozenMap(condition.key, target, label, "", ""), RawMap(saliency)))
        return made

    def _asked(self, subject: Subject) -> list[tuple[int, str]]:
        """The classes that runs asked about, by index and name; of one rather than another, the index of the one."""
        by_id = {run.id: run for run in self.runs}
        asked = [(by_id[run].grid, place) for run, place in subject.asked]
        targets = [(grid.target_of(place), grid.asked_of(place)) for grid, place in asked]
        return list(dict.fromkeys((-1 if target is None else target, label) for target, label in targets))

    def _main_label(self, subject: Subject, maps: Sequence[FrozenMap]) -> str:
        """The first class that every condition has a map for; raises StudyError where there is none."""
        needed = {one.key for one in self.conditions if one.source != NO_MAP}
        lacking: list[str] = []
        for label in subject.labels:
            missing = needed - {one.condition for one in maps if one.label == label}
            if not missing:
                return label
            lacking = lacking or [one.title for one in self.conditions if one.key in missing]
        raise StudyError(
            f"{subject.name} has no finished map by {', '.join(lacking)} for {subject.labels[0]}. Add it to a run, or "
            "leave out the image or the method."
        )

    def _kept(self, view: Pixels, one: FrozenMap, raw: RawMap, ends: Ends) -> FrozenMap:
        return dataclasses.replace(
            one,
            image=keep_picture(self.folder, drawn(view, raw, self.display, ends.get(one.condition))),
            array=frozen.keep_array(self.folder, raw),
        )


def _values(cell: Cell, plan: Plan) -> dict[str, float]:
    """What metrics say of a map, by the metrics and their settings in words; those that say nothing are left out."""
    choices = {choice.key: choice for choice in plan.metrics}
    kept = {key: one.value for key, one in cell.measurements.items() if not one.failed and math.isfinite(one.value)}
    return {measured_by(choices[key]): value for key, value in kept.items() if key in choices}


def measured_by(choice: MetricChoice) -> str:
    """A metric's name with its settings in words, as in "deletion: 50 steps, mean fill"; it needs no run to be read."""
    words = [one.in_words(getattr(choice.settings, one.name)) for one in choice.settings.parameters()]
    return f"{choice.name}: {', '.join(words)}" if words else choice.name


def _named(stimuli: Sequence[Stimulus]) -> tuple[Stimulus, ...]:
    """The stimuli with keys that a reader of the data understands: the picture's name, and some of its digest."""
    return tuple(dataclasses.replace(one, key=f"{slug(PurePath(one.name).stem, 24)}-{one.key[-8:]}") for one in stimuli)
