"""Plans come back from JSON as they were, those of earlier formats too, and anything else ends in a sentence."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.classifier import ENGINES, Execution
from decam.errors import DecamError, MethodError, ModelError, SettingError
from decam.experiments.kinds import comparison
from decam.experiments.plan import (
    MethodChoice,
    MetricChoice,
    PictureChoice,
    Versions,
    usual_metrics,
)
from decam.experiments.plan_json import plan_from_json, plan_to_json
from decam.experiments.questions import MAX_SEED
from decam.methods import METHODS
from decam.methods.base import Method
from decam.metrics import METRICS, RANDOMISATION, Metric
from decam.metrics.base import FILLS
from decam.settings import Parameter
from tests.experiments.plans import PICTURES, a_plan, two_models


def altered(**changes: object) -> str:
    """The JSON of a plan with some of its top entries replaced (None removes one)."""
    read = json.loads(plan_to_json(a_plan())) | changes
    return json.dumps({name: value for name, value in read.items() if value is not None or name == "execution"})


FORMER = {
    "kind": "decam plan",
    "format": 2,
    "versions": {"python": "3.11.7", "decam": "0.1.0"},
    "model": "embedded",
    "device": "cpu",
    "speed": {"precision": "float32", "channels_last": True, "batch_size": 4},
    "seed": 7,
    "steps": 20,
    "fills": [{"deletion": "mean", "insertion": "blur"}, {"deletion": "blur", "insertion": "mean"}],
    "pictures": [
        {"name": "a.png", "target": None, "sha256": "", "truth": ""},
        {"name": "Löwe.jpg", "target": 291, "sha256": "ab", "truth": "cd"},
    ],
    "methods": [{"name": "rise", "settings": {"masks": 60}}],
    "metrics": [{"name": "sparsity", "settings": {}}],
}


def former(**changes: object) -> str:
    """A plan as the first version wrote it, with some of its top entries replaced (None removes one)."""
    read = FORMER | changes
    return json.dumps({name: value for name, value in read.items() if value is not None})


def test_json_brings_back_an_equal_plan_with_every_method_and_metric() -> None:
    plan = a_plan()
    assert plan_from_json(plan_to_json(plan)) == plan
    assert {choice.name for choice in plan.methods} == set(METHODS)
    assert {choice.name for choice in plan.metrics} == set(METRICS) | set(RANDOMISATION)


def test_a_plan_of_the_first_version_asks_the_same_questions_and_draws_the_same_curves() -> None:
    plan = plan_from_json(former())
    rise = MethodChoice("rise", METHODS["rise"].settings.from_mapping({"budget": 60}))
    curves = usual_metrics((("mean", "blur"), ("blur", "mean")), 20)
    expected = comparison.plan(
        "embedded",
        "cpu",
        PICTURES,
        [rise],
        targets=[None, 291],
        metrics=[*curves, MetricChoice.default("sparsity")],
        seed=7,
        execution=Execution("float32", True, 4, 1),
    )
    assert plan == dataclasses.replace(expected, versions=Versions(python="3.11.7", decam="0.1.0"))
    assert [(choice.name, choice.settings.steps, choice.settings.fill) for choice in plan.metrics[:4]] == [
        ("deletion", 20, "mean"),
        ("insertion", 20, "blur"),
        ("deletion", 20, "blur"),
        ("insertion", 20, "mean"),
    ]
    assert [question.target for question in plan.questions] == [None, 291]
    assert {question.seed for question in plan.questions} == {7}
    assert plan_from_json(former(format=1, metrics=None)).metrics == plan.metrics[:4]


def test_a_plan_with_variants_comes_back_from_json() -> None:
    plan = two_models()
    assert plan_from_json(plan_to_json(plan)) == plan


@pytest.mark.slow
@given(
    seed=st.integers(0, MAX_SEED),
    steps=st.integers(2, 500),
    fills=st.lists(st.tuples(st.sampled_from(FILLS), st.sampled_from(FILLS)), max_size=6),
    targets=st.lists(st.none() | st.integers(0, 999), min_size=1, max_size=16),
    names=st.lists(st.text(min_size=1), min_size=16, max_size=16),
    batch=st.integers(1, 512),
    note=st.text(),
)
def test_json_brings_back_whatever_is_allowed(
    seed: int,
    steps: int,
    fills: list[tuple[str, str]],
    targets: list[int | None],
    names: list[str],
    batch: int,
    note: str,
) -> None:
    plan = comparison.plan(
        "embedded",
        "cpu",
        [PictureChoice(name) for name in names[: len(targets)]],
        [MethodChoice.default("rise")],
        targets=targets,
        metrics=usual_metrics(fills, steps),
        seed=seed,
        execution=Execution(batch_size=batch, note=note),
    )
    assert plan_from_json(plan_to_json(plan)) == plan
    assert plan_from_json(plan_to_json(plan).encode()) == plan


def test_settings_other_than_the_defaults_come_back() -> None:
    chosen = METHODS["rise"].settings
    numbers = [described for described in chosen.parameters() if described.kind is int and described.high is not None]
    settings = chosen.from_mapping({described.name: int(described.high or 0) for described in numbers[:1]})
    assert settings != chosen()
    plan = a_plan(methods=(MethodChoice("rise", settings), MethodChoice.default("rise")))
    assert plan_from_json(plan_to_json(plan)).methods == plan.methods


def test_the_versions_are_those_that_made_it_not_those_that_read_it() -> None:
    import torch

    assert Versions.here().torch.split("+")[0] == torch.__version__.split("+")[0]
    assert Versions.here().numpy == np.__version__
    old = a_plan(versions=Versions(python="3.9", torch="1.0"))
    assert plan_from_json(plan_to_json(old)).versions == Versions(python="3.9", torch="1.0")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", SettingError, "not JSON"),
        ("{", SettingError, "not JSON"),
        ("[" * 100_000, SettingError, "not JSON"),
        (b"\xff\xfe\xfa", SettingError, "not JSON"),
        ("[]", SettingError, "not a plan"),
        ('{"name": "x"}', SettingError, "not a plan"),
        (altered(format=4), SettingError, "format 4.*update decam"),
        (altered(format="1"), SettingError, "format must be a whole number"),
        (altered(of="séance"), SettingError, "no kind of plan 'séance'"),
        (altered(colour="red"), SettingError, "no 'colour' in the plan"),
        (altered(questions=None), SettingError, "'questions' is missing"),
        (altered(questions=[3]), SettingError, "a question of the plan must be an object"),
        (altered(device="gpu?"), SettingError, "no device"),
        (altered(pictures={}), SettingError, "pictures must be a list"),
        (altered(pictures=["a.png"]), SettingError, "an image of the plan must be an object"),
        (altered(pictures=[{"name": "a", "size": 3}]), SettingError, "no 'size' in an image"),
        (altered(methods=[{"name": "telepathy", "settings": {}}]), MethodError, "telepathy"),
        (altered(methods=[{"name": "rise"}]), SettingError, "'settings' is missing"),
        (altered(methods=[{"name": "rise", "settings": {"colour": 1}}]), SettingError, "rise: There is no setting"),
        (altered(execution={"precision": "int4", "channels_last": True, "batch_size": 1}), SettingError, "int4"),
        (
            altered(
                execution={"precision": "float32", "channels_last": True, "batch_size": 1, "parallel_batches": "2"}
            ),
            SettingError,
            "parallel_batches must be a whole number",
        ),
        (
            altered(execution={"precision": "float32", "channels_last": 1, "batch_size": 1}),
            SettingError,
            "true or false",
        ),
        (altered(versions=[]), SettingError, "versions must be an object"),
        (former(colour="red"), SettingError, "no 'colour' in the plan"),
        (former(steps=None), SettingError, "'steps' is missing"),
        (former(steps=True), SettingError, "steps must be a whole number"),
        (former(steps=10.5), SettingError, "steps must be a whole number"),
        (former(steps=1000), SettingError, "steps is 1000"),
        (former(seed=-4), SettingError, "seed is -4"),
        (former(model=7), ModelError, "model must be a name"),
        (former(pictures=[{"name": "a", "target": "cat"}]), SettingError, "target must be a whole number"),
        (former(fills=[["mean", "blur"]]), SettingError, "fills must be an object"),
        (former(fills=[{"deletion": "mean", "insertion": "green"}]), SettingError, "no fill 'green'"),
    ],
)
def test_json_that_is_no_plan_ends_in_one_sentence(text: str | bytes, error: type[DecamError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        plan_from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", [("streams", "captured"), ("parallel_batches", "cuda_graph")])
def test_an_execution_is_read_with_its_earlier_names_too(names: tuple[str, str]) -> None:
    counted, recorded = names
    described = {"precision": "bfloat16", "channels_last": True, "batch_size": 4, counted: 2, recorded: True}
    expected = Execution("bfloat16", channels_last=True, batch_size=4, parallel_batches=2, engine="cuda-graph")
    assert plan_from_json(altered(execution=described)).execution == expected
    assert plan_from_json(altered(execution=described | {recorded: False})).execution == dataclasses.replace(
        expected, engine="eager"
    )


def test_an_execution_without_an_engine_is_pytorchs_own() -> None:
    described = {"precision": "float32", "channels_last": False, "batch_size": 4}
    assert plan_from_json(altered(execution=described)).execution == Execution(batch_size=4, engine="eager")


@pytest.mark.parametrize("engine", [*ENGINES])
def test_an_engine_is_named_in_a_plan_and_read_again(engine: str) -> None:
    plan = a_plan(execution=Execution(batch_size=4, engine=engine))
    assert json.loads(plan_to_json(plan))["execution"]["engine"] == engine
    assert plan_from_json(plan_to_json(plan)).execution == plan.execution


@pytest.mark.parametrize("engine", ["abacus", 1, None, ["openvino"]])
def test_an_engine_that_does_not_exist_is_refused_with_those_that_do(engine: object) -> None:
    described = {"precision": "float32", "channels_last": False, "batch_size": 4, "engine": engine}
    with pytest.raises(SettingError, match=f"engine is {re.escape(repr(engine))}, but must be one of: eager, openvino"):
        plan_from_json(altered(execution=described))


@pytest.mark.parametrize(("method", "earlier"), [("rise", "masks"), ("lime", "samples"), ("kernel-shap", "samples")])
def test_what_a_black_box_may_cost_is_read_by_its_earlier_name_too(method: str, earlier: str) -> None:
    expected = MethodChoice.default(method, budget=321)
    assert plan_from_json(altered(methods=[{"name": method, "settings": {earlier: 321}}])).methods == (expected,)
    assert plan_from_json(former(methods=[{"name": method, "settings": {earlier: 321}}])).methods == (expected,)


def test_whose_map_random_weights_are_is_read_by_its_earlier_name_too() -> None:
    expected = MethodChoice.default("untrained", of="gradient")
    before = [{"name": "untrained", "settings": {"method": "gradient"}}]
    assert plan_from_json(altered(methods=before)).methods == (expected,)
    assert plan_from_json(former(methods=before)).methods == (expected,)


def bounded(table: Mapping[str, Method] | Mapping[str, Metric]) -> list[tuple[str, Parameter]]:
    """A parameter with an upper bound of each row that has one."""
    found = []
    for name, row in table.items():
        limited = [described for described in row.settings.parameters() if described.high is not None]
        found += [(name, described) for described in limited[:1]]
    return found


@pytest.mark.parametrize(
    ("kind", "name", "parameter"),
    [("methods", *each) for each in bounded(METHODS)] + [("metrics", *each) for each in bounded(METRICS)],
)
def test_a_setting_out_of_bounds_in_json_names_its_row_and_the_setting(
    kind: str, name: str, parameter: Parameter
) -> None:
    values = {parameter.name: parameter.kind((parameter.high or 0) + 1)}
    with pytest.raises(SettingError, match=f"{re.escape(name)}: {parameter.name}"):
        plan_from_json(altered(**{kind: [{"name": name, "settings": values}]}))
