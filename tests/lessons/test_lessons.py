"""The lessons as documents: what each must have, where its numbers come from, and that its right answers are right."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from decam.classifier import probabilities, to_tensor
from decam.errors import SettingError
from decam.evolution.problems import LANDSCAPES
from decam.evolution.trajectory import trajectory
from decam.lessons import LESSONS, PATH, get, prose, runs
from decam.lessons.base import Choose, Cover, Curves, Estimate, Lesson, Point, Prediction, Question, Reveal, Step, Walk
from decam.lessons.facts import explanation
from decam.lessons.pictures import pixels
from decam.methods import METHODS
from decam.metrics.similarity import spearman

DIGIT = re.compile(r"\d")
LONGEST = 24  # words of a sentence, a few more than the rule of about 20
EVERY = pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)


def texts(step: Step) -> Iterator[str]:
    """All that a step shows or says, with its facts and terms still by name."""
    yield from (step.title, step.text, step.note)
    shown = (*step.pictures, *([step.target] if isinstance(step, Point) else []))
    yield from (part for one in shown for part in (one.caption, one.alt))
    if isinstance(step, Choose | Question):
        yield from step.options
    if isinstance(step, Question):
        yield step.why
    if isinstance(step, Estimate):
        yield step.asks


def choice(lesson: str, key: str) -> Choose:
    """A prediction with options."""
    found = LESSONS[lesson].prediction(key)
    assert isinstance(found, Choose)
    return found


def curve(run: str, method: str, metric: str, fill: str) -> tuple[list[float], list[float], list[str]]:
    """Shares, values and predicted classes of a curve, read from the stored table line by line."""
    rows = (runs.FOLDER / run / "curves.csv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [row.split(",") for row in rows if f",{method},{metric} (fill={fill})," in row]
    assert cells, (run, method, metric, fill)
    return [round(float(row[-5]), 6) for row in cells], [float(row[-4]) for row in cells], [row[-2] for row in cells]


def test_there_are_nine_lessons_and_a_class_of_45_minutes() -> None:
    assert len(LESSONS) == 9
    assert sum(stop.minutes for stop in PATH) == 45
    named = [stop.lesson for stop in PATH if stop.lesson]
    assert set(named) <= set(LESSONS)
    assert len(set(named)) == len(named)


@EVERY
def test_a_stop_of_the_class_leaves_its_lesson_enough_time(lesson: Lesson) -> None:
    assert all(stop.minutes >= lesson.minutes for stop in PATH if stop.lesson == lesson.name)


@EVERY
def test_a_lesson_takes_five_to_ten_minutes_predicts_and_ends_with_a_question(lesson: Lesson) -> None:
    assert 5 <= lesson.minutes <= 10
    assert 5 <= len(lesson.steps) <= 10
    assert re.fullmatch(r"[a-z-]+", lesson.name)
    assert any(isinstance(step, Prediction) for step in lesson.steps)
    assert [step for step in lesson.steps if isinstance(step, Question)] == [lesson.steps[-1]]


@EVERY
def test_what_is_predicted_is_shown_in_the_next_steps(lesson: Lesson) -> None:
    keys = [step.key for step in lesson.steps if isinstance(step, Prediction)]
    assert len(set(keys)) == len(keys)
    for place, step in enumerate(lesson.steps):
        if isinstance(step, Prediction):
            following = lesson.steps[place + 1 : place + 3]
            revealed = any(isinstance(one, Reveal) and one.of == step.key for one in following)
            assert revealed or isinstance(following[0], Curves), (step.title, "is never revealed")
        if isinstance(step, Reveal):
            assert any(isinstance(one, Prediction) and one.key == step.of for one in lesson.steps[:place]), step.title
            if isinstance(lesson.prediction(step.of), Point):
                assert any(shown.method for shown in step.pictures), "a place is ranked by a map"
        if isinstance(step, Choose | Question):
            assert 2 <= len(step.options) <= 4
            assert 0 <= step.right < len(step.options)
        if isinstance(step, Estimate):
            assert step.answer in lesson.facts


@EVERY
def test_no_number_is_written_by_hand(lesson: Lesson) -> None:
    for step in lesson.steps:
        for text in texts(step):
            assert not DIGIT.search(re.sub(r"\{\w+\}", "", text)), text


@pytest.mark.slow
@EVERY
def test_every_fact_is_said_and_every_fact_and_term_that_is_said_exists(lesson: Lesson) -> None:
    said = {name for step in lesson.steps for text in texts(step) for name in re.findall(r"\{(\w+)\}", text)}
    estimated = {step.answer for step in lesson.steps if isinstance(step, Estimate)}
    assert said | estimated == set(lesson.facts)
    for step in lesson.steps:
        for text in texts(step):
            assert "{" not in prose.html(text, lesson.facts, "place")
            assert "[[" not in prose.plain(text, lesson.facts)


@EVERY
def test_every_step_has_a_note_and_short_sentences(lesson: Lesson) -> None:
    for step in lesson.steps:
        assert step.note.strip()
        for text in texts(step):
            for sentence in re.split(r"(?<=[.?!:])\s+|\n\s*\n|\n- ", prose.plain(text, lesson.facts)):
                assert len(sentence.split()) <= LONGEST, sentence


@EVERY
def test_every_picture_of_a_lesson_can_be_drawn(lesson: Lesson) -> None:
    for step in lesson.steps:
        for shown in (*step.pictures, *([step.target] if isinstance(step, Point) else [])):
            assert pixels(shown).shape == (128, 128, 3)
            assert pixels(shown).dtype == np.uint8


def test_play_uses_what_is_there() -> None:
    kinds = {type(step) for lesson in LESSONS.values() for step in lesson.steps}
    assert {Cover, Walk, Curves} <= kinds


def test_an_unknown_lesson_run_fact_or_term_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="There is no lesson 'nothing'; there are: saliency-map"):
        get("nothing")
    with pytest.raises(SettingError, match="There is no run for lessons 'nothing'; there are: star"):
        runs.get("nothing")
    with pytest.raises(SettingError, match="names the fact 'nothing'"):
        prose.html("{nothing}", {})
    with pytest.raises(SettingError, match=r"names the term 'nothing', which .*glossary.py lacks"):
        prose.html("[[nothing]]", {})


# That the right answers are right, by another way than the lesson's own facts.


def test_with_its_top_hidden_the_star_is_no_star() -> None:
    shares, _, predicted = curve("star", "de-cam", "deletion", "mean")
    assert predicted[shares.index(0.2)] != "star"
    assert choice("saliency-map", "hidden").options[2] == "It no longer answers {label}"
    assert choice("saliency-map", "hidden").right == 2


def test_the_share_that_must_be_covered_is_where_the_class_changes() -> None:
    shares, _, predicted = curve("star", "de-cam", "deletion", "mean")
    first = next(share for share, label in zip(shares, predicted, strict=True) if label != "star")
    assert LESSONS["covering"].facts["needed"]() == f"{first:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def test_only_a_part_of_the_object_is_covered_where_the_class_changes() -> None:
    shares, _, predicted = curve("star", "de-cam", "deletion", "mean")
    values, truth = explanation("star", 0, "de-cam").saliency, runs.load("star").truth_of(0)
    assert truth is not None
    first = next(share for share, label in zip(shares, predicted, strict=True) if label != "star")
    order = sorted((-values[place], place) for place in np.ndindex(values.shape))[: round(first * values.size)]
    hit = sum(truth[place] for _, place in order) / truth.sum()
    assert hit < 0.8
    assert LESSONS["covering"].facts["hit"]() == f"{hit:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def test_nearly_all_hikers_end_in_the_lowest_valley() -> None:
    step = next(step for step in LESSONS["evolution"].steps if isinstance(step, Walk))
    ended = trajectory(LANDSCAPES[step.landscape], step.settings, step.seed)[-1].trace.targets.reshape(-1, 2)
    lowest = LANDSCAPES[step.landscape].minimisers(2).numpy()
    near = [min(np.linalg.norm(one - place) for place in lowest) < 0.5 for one in ended]
    assert choice("evolution", "end").right == 1
    assert np.mean(near) > 0.5


def test_noise_is_deleted_late_and_slowly() -> None:
    shares, values, _ = curve("star", "random", "deletion", "mean")
    assert values[shares.index(0.2)] > 0.9
    assert values[-1] < 0.2
    assert choice("deletion-insertion", "noise").right == 1


def test_the_winner_by_deletion_comes_last_by_insertion_and_the_centre_beats_rise() -> None:
    def area(method: str, metric: str, fill: str) -> float:
        shares, values, _ = curve("star", method, metric, fill)
        return sum((a + b) / 2 * (t - s) for a, b, s, t in zip(values, values[1:], shares, shares[1:], strict=False))

    methods = ("de-cam", "grad-cam", "rise", "integrated-gradients")
    deletion = {name: area(name, "deletion", "mean") for name in methods}
    insertion = {name: area(name, "insertion", "blur") for name in methods}
    assert min(deletion, key=deletion.__getitem__) == "integrated-gradients"
    assert min(insertion, key=insertion.__getitem__) == "integrated-gradients"
    assert area("edges", "insertion", "blur") > insertion["integrated-gradients"]
    assert area("centre", "deletion", "mean") < deletion["rise"]
    assert (choice("deletion-insertion", "winner").right, choice("deletion-insertion", "centre").right) == (2, 2)


def test_only_the_real_map_asks_the_model() -> None:
    asked = choice("real-map", "one")
    knows = [bool(METHODS[shown.method].needs) for shown in asked.pictures]
    assert knows == [place == asked.right for place in range(4)]


def test_about_half_of_the_spot_lies_on_the_star() -> None:
    truth = runs.load("star").truth_of(0)
    assert truth is not None
    values = explanation("star", 0, "centre").saliency
    highest = sorted((-values[place], place) for place in np.ndindex(values.shape))[: int(truth.sum())]
    assert 0.4 < np.mean([truth[place] for _, place in highest]) < 0.6
    assert choice("real-map", "spot").right == 1


def test_guided_backpropagation_stays_while_the_model_forgets_and_grad_cam_does_not() -> None:
    def alike(method: str, question: int) -> float:
        return spearman(*(explanation("forgetting", one, method).saliency for one in (0, question)))

    assert alike("grad-cam", 1) < 0.7 < alike("guided-backprop", 1)
    assert alike("grad-cam", 2) < 0.3 < 0.7 < alike("guided-backprop", 2)
    assert alike("guided-backprop", 3) < 0.3
    assert alike("edges", 3) == pytest.approx(1)
    assert (choice("sanity", "forget").right, choice("sanity", "half").right) == (0, 1)


def test_the_mark_decides_in_one_model_and_not_in_the_other() -> None:
    grid = runs.load("clever-hans")

    def answer(model: str, picture: int) -> str:
        classifier = runs.exact(model)
        said = probabilities(classifier, to_tensor(classifier, grid.views[picture]).unsqueeze(0))
        return classifier.labels[int(torch.argmax(said))]

    assert answer(runs.HANS, 0) == "crescent"
    assert answer(runs.HANS, 1) == "hexagon"
    assert answer(runs.HONEST, 1) == "crescent"
    stamped = choice("clever-hans", "stamped")
    assert stamped.options[stamped.right] == "{hexagon}"


def test_the_map_of_one_class_speaks_against_the_other() -> None:
    maps = [explanation("heart-and-ring", question, "de-cam").saliency for question in (0, 1)]
    assert spearman(*maps) < -0.3
    assert choice("contrast", "order").right == 2


def test_some_methods_agree_and_some_hardly_and_the_fill_changes_who_is_last() -> None:
    methods = ("de-cam", "grad-cam", "integrated-gradients", "lime")
    maps = [explanation("cross", 0, name).saliency for name in methods]
    pairs = [spearman(maps[one], maps[other]) for one in range(4) for other in range(one)]
    assert min(pairs) < 0.3 < 0.5 < max(pairs) < 0.9
    flat = [np.mean(curve("cross", name, "insertion", "mean")[1]) for name in methods]
    blurred = [np.mean(curve("cross", name, "insertion", "blur")[1]) for name in methods]
    assert int(np.argmin(flat)) == choice("disagreement", "worst").right == 2
    assert blurred[2] > max(blurred) - 0.02
    assert choice("disagreement", "alike").right == 1
