"""What becomes of a plan on its way into a run: its fingerprints are filled in, and it grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from decam.classifier import Pixels
from decam.errors import SettingError
from decam.experiments.grid import Grid
from decam.experiments.kinds import get as get_kind
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, fingerprint
from decam.explanation import Truth

T = TypeVar("T")


def settled(plan: Plan, views: Sequence[Pixels], truths: Sequence[Truth | None]) -> Plan:
    """The plan with the fingerprints of its pictures and truths; raises SettingError where they do not fit it."""
    if not len(views) == len(truths) == len(plan.pictures):
        counts = f"{len(views)} views and {len(truths)} truths"
        raise SettingError(f"The plan names {len(plan.pictures)} images, but {counts} were given.")
    pictures = []
    for choice, view, truth in zip(plan.pictures, views, truths, strict=True):
        complete = dataclasses.replace(
            choice, sha256=fingerprint(view), truth="" if truth is None else fingerprint(truth)
        )
        if choice.sha256 not in ("", complete.sha256) or choice.truth not in ("", complete.truth):
            raise SettingError(f"{choice.name!r} is not the image that the plan was made for.")
        if truth is not None and truth.shape != view.shape[:2]:
            raise SettingError(
                f"The truth of {choice.name!r} has shape {truth.shape}, but the model sees {view.shape[:2]}."
            )
        pictures.append(complete)
    return dataclasses.replace(plan, pictures=tuple(pictures))


def grown(plan: Plan, metrics: Sequence[MetricChoice] = (), methods: Sequence[MethodChoice] = ()) -> Plan:
    """The plan with the metrics and methods that it did not ask for yet, after those that it did."""
    metrics = tuple(dict.fromkeys((*plan.metrics, *metrics)))
    new = tuple(choice for choice in dict.fromkeys(methods) if choice not in plan.methods)
    return dataclasses.replace(plan, metrics=metrics, methods=(*plan.methods, *new))


def joined(plan: Plan, wanted: Plan) -> Plan:
    """The plan with the pictures, questions, methods and metrics that another one asks beyond it, behind its own.

    Both have the fingerprints of their pictures. Raises SettingError where one run cannot hold both: they differ in
    kind, device, versions or seed, in a model, or, where a picture is no question of its own, in what they ask about.
    """
    for noun, before, now in (
        ("kind", plan.kind, wanted.kind),
        ("device", plan.device, wanted.device),
        ("versions", plan.versions, wanted.versions),
        ("seed", plan.seed, wanted.seed),
        ("model", plan.questions[0].model, wanted.questions[0].model),
    ):
        if before != now:
            raise SettingError(f"This run has another {noun}, so nothing can be added to it; start a new one.")
    if get_kind(plan.kind).by_picture:
        plan = _with_pictures(plan, wanted)
    elif plan.questions != wanted.questions:
        raise SettingError("This run asks other questions, so nothing can be added to it; start a new one.")
    return grown(plan, wanted.metrics, wanted.methods)


def _with_pictures(plan: Plan, wanted: Plan) -> Plan:
    """The plan with the pictures of another one that it does not have, and the questions about them."""
    there = {picture.sha256 for picture in plan.pictures}
    pictures, questions = list(plan.pictures), list(plan.questions)
    for place, question in enumerate(wanted.questions):
        picture = wanted.picture_of(place)
        if picture.sha256 not in there:
            questions.append(dataclasses.replace(question, picture=len(pictures)))
            pictures.append(picture)
    return dataclasses.replace(plan, pictures=tuple(pictures), questions=tuple(questions))


def check_classes(grid: Grid, wanted: Plan) -> None:
    """Raises SettingError where a plan asks about another class of a picture that a run has: it has one for each."""
    if not get_kind(wanted.kind).by_picture:
        return
    place_by_digest = {grid.plan.picture_of(place).sha256: place for place in range(len(grid.plan.questions))}
    for number, question in enumerate(wanted.questions):
        picture = wanted.picture_of(number)
        place = place_by_digest.get(picture.sha256)
        if place is None:
            continue
        guesses = grid.predictions[place]
        asked = question.target if question.target is not None or not guesses else guesses[0][0]
        if (asked, question.against) != (grid.target_of(place), grid.plan.against_of(place)):
            raise SettingError(
                f"This run explains {grid.asked_of(place)} in {picture.name}, so nothing for another class can be "
                "added to it; start a new one."
            )


def items_of(pictures: Sequence[PictureChoice], wanted: Plan, items: Sequence[T]) -> list[T]:
    """Of items of the pictures of `wanted`, those of these pictures, found by their fingerprints."""
    item_by_digest = {picture.sha256: item for picture, item in zip(wanted.pictures, items, strict=True)}
    return [item_by_digest[picture.sha256] for picture in pictures]


def check_mark(views: Sequence[Pixels], picture: int, truth: Truth | None) -> None:
    """Raise SettingError where there is no such picture, or a ground truth is not as large as its view."""
    if not 0 <= picture < len(views):
        raise SettingError(f"This run has {len(views)} images, counted from 0, and none with the number {picture}.")
    if truth is not None and truth.shape != views[picture].shape[:2]:
        raise SettingError(
            f"The ground truth has shape {truth.shape}, but the model sees {views[picture].shape[:2]}; mark the "
            "object on the image as the model sees it."
        )
