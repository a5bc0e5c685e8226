"""Plans are checked when made, and come back from JSON as they were."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decam.classifier import Execution
from decam.errors import DecamError, MethodError, ModelError, SettingError
from decam.experiments.kinds import KINDS, comparison
from decam.experiments.plan import KINDS as KIND_NAMES
from decam.experiments.plan import (
    MethodChoice,
    MetricChoice,
    PictureChoice,
    Plan,
    Versions,
    fingerprint,
    usual_metrics,
)
from decam.experiments.questions import MAX_SEED, ModelSpec, QuestionSpec, Variant
from decam.methods import METHODS
from decam.methods.base import Method
from decam.metrics import METRICS, RANDOMISATION, Metric
from decam.metrics.base import FILLS
from decam.settings import Parameter

PICTURES = (PictureChoice("a.png"), PictureChoice("Löwe.jpg", sha256="ab", truth="cd"))


def a_plan(**changes: Any) -> Plan:
    plan = comparison.plan(
        "embedded",
        "cpu",
        PICTURES,
        [MethodChoice.default(name) for name in METHODS],
        targets=[None, 291],
        metrics=[*usual_metrics(), *(MetricChoice.default(name) for name in (*METRICS, *RANDOMISATION))],
        execution=Execution("bfloat16", True, 32, 2, "fastest"),
    )
    return dataclasses.replace(plan, **changes)


def altered(**changes: object) -> str:
    """The JSON of a plan with some of its top entries replaced (None removes one)."""
    read = json.loads(a_plan().to_json()) | changes
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
    assert Plan.from_json(plan.to_json()) == plan
    assert {choice.name for choice in plan.methods} == set(METHODS)
    assert {choice.name for choice in plan.metrics} == set(METRICS) | set(RANDOMISATION)


def test_every_kind_of_plan_has_a_row() -> None:
    assert tuple(KINDS) == KIND_NAMES
    assert all(KINDS[name].name == name for name in KINDS)


def test_a_plan_of_the_first_version_asks_the_same_questions_and_draws_the_same_curves() -> None:
    plan = Plan.from_json(former())
    rise = MethodChoice("rise", METHODS["rise"].settings.from_mapping({"masks": 60}))
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
    assert Plan.from_json(former(format=1, metrics=None)).metrics == plan.metrics[:4]


def test_a_metric_is_named_once_with_the_same_settings_and_takes_its_own() -> None:
    twice = MetricChoice.default("sparsity")
    with pytest.raises(SettingError, match="metric appears twice with the same settings"):
        a_plan(metrics=(twice, twice))
    two = (MetricChoice.default("deletion"), MetricChoice.default("deletion", fill="mean"))
    assert len({choice.key for choice in a_plan(metrics=two).metrics}) == 2
    with pytest.raises(SettingError, match="deletion takes DeletionSettings"):
        MetricChoice("deletion", METHODS["rise"].settings())


@pytest.mark.parametrize("name", [*METRICS, *RANDOMISATION])
def test_a_metrics_key_is_fit_for_a_file_and_says_name_and_settings(name: str) -> None:
    choice = MetricChoice.default(name)
    assert re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{8}", choice.key) and choice.key.startswith(name)
    assert choice.key == MetricChoice.default(name).key
    settings = json.dumps(choice.settings.to_mapping(), sort_keys=True)
    assert choice.key.endswith(hashlib.sha256(settings.encode()).hexdigest()[:8])


def test_metrics_that_need_a_reference_leave_the_original_out_and_those_with_controls_the_variants() -> None:
    plan = two_models()
    names = [{choice.name for choice in plan.metrics_for(question)} for question in range(2)]
    assert names[0] == {"sparsity", "control-similarity-ssim"}
    assert names[1] == {"sparsity", "similarity-ssim"}


def two_models(**changes: Any) -> Plan:
    """A plan that asks a model and a variant of it about one picture."""
    variant = ModelSpec("embedded", Variant("cascading", "head", 0.01, 5))
    names = ("sparsity", "similarity-ssim", "control-similarity-ssim")
    plan = Plan(
        kind="randomisation",
        device="cpu",
        pictures=(PictureChoice("a.png"),),
        questions=(QuestionSpec(ModelSpec("embedded"), 0, 3), QuestionSpec(variant, 0, 3, reference=0)),
        methods=(MethodChoice.default("random"),),
        metrics=tuple(MetricChoice.default(name) for name in names),
    )
    return dataclasses.replace(plan, **changes)


def test_a_plan_with_variants_comes_back_from_json() -> None:
    plan = two_models()
    assert Plan.from_json(plan.to_json()) == plan


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
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json().encode()) == plan


def test_settings_other_than_the_defaults_come_back() -> None:
    chosen = METHODS["rise"].settings
    numbers = [described for described in chosen.parameters() if described.kind is int and described.high is not None]
    settings = chosen.from_mapping({described.name: int(described.high or 0) for described in numbers[:1]})
    assert settings != chosen()
    plan = a_plan(methods=(MethodChoice("rise", settings), MethodChoice.default("rise")))
    assert Plan.from_json(plan.to_json()).methods == plan.methods


def test_the_versions_are_those_that_made_it_not_those_that_read_it() -> None:
    import torch

    assert Versions.here().torch.split("+")[0] == torch.__version__.split("+")[0]
    assert Versions.here().numpy == np.__version__
    old = a_plan(versions=Versions(python="3.9", torch="1.0"))
    assert Plan.from_json(old.to_json()).versions == Versions(python="3.9", torch="1.0")


def test_a_fingerprint_is_the_sha256_of_the_pixels() -> None:
    view = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert fingerprint(view) == hashlib.sha256(bytes(range(48))).hexdigest()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"kind": "séance"}, SettingError, "no kind of plan 'séance'"),
        ({"device": "banana"}, SettingError, "no device 'banana'"),
        ({"questions": ()}, SettingError, "at least one picture"),
        ({"methods": ()}, SettingError, "at least one picture and one method"),
        ({"pictures": ()}, SettingError, "about picture 0, which is not there"),
        ({"questions": (QuestionSpec(ModelSpec("m"), 0, reference=0),)}, SettingError, "does not come before it"),
        ({"execution": Execution(batch_size=0)}, SettingError, "batch_size is 0"),
        ({"execution": Execution(parallel_batches=0)}, SettingError, "parallel_batches is 0"),
    ],
)
def test_a_plan_out_of_bounds_is_refused(changes: dict[str, Any], error: type[DecamError], words: str) -> None:
    with pytest.raises(error, match=words):
        a_plan(**changes)


def test_a_method_needs_its_own_settings_and_a_name_that_exists() -> None:
    with pytest.raises(MethodError, match="telepathy"):
        MethodChoice.default("telepathy")
    with pytest.raises(SettingError, match="rise takes"):
        MethodChoice("rise", METHODS["de-cam"].settings())
    with pytest.raises(SettingError, match="counted from 0"):
        QuestionSpec(ModelSpec("embedded"), 0, target=-1)
    with pytest.raises(SettingError, match="seed is -1"):
        QuestionSpec(ModelSpec("embedded"), 0, seed=-1)
    with pytest.raises(SettingError, match=f"seed is {MAX_SEED + 1}, but must lie between 0 and"):
        QuestionSpec(ModelSpec("embedded"), 0, seed=MAX_SEED + 1)
    with pytest.raises(ModelError, match="names no model"):
        ModelSpec("")
    with pytest.raises(SettingError, match="no randomisation 'sideways'"):
        Variant("sideways", "head")  # type: ignore[arg-type]  # as a file might say


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
        (altered(pictures=["a.png"]), SettingError, "a picture of the plan must be an object"),
        (altered(pictures=[{"name": "a", "size": 3}]), SettingError, "no 'size' in a picture"),
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
        Plan.from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", [("streams", "captured"), ("parallel_batches", "cuda_graph")])
def test_an_execution_is_read_with_its_earlier_names_too(names: tuple[str, str]) -> None:
    counted, recorded = names
    described = {"precision": "bfloat16", "channels_last": True, "batch_size": 4, counted: 2, recorded: True}
    expected = Execution("bfloat16", channels_last=True, batch_size=4, parallel_batches=2, cuda_graph=True)
    assert Plan.from_json(altered(execution=described)).execution == expected


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
        Plan.from_json(altered(**{kind: [{"name": name, "settings": values}]}))


def test_a_method_that_comes_twice_is_told_apart_by_its_settings() -> None:
    def choice(**values: object) -> MethodChoice:
        return MethodChoice("random", METHODS["random"].settings.from_mapping(values))

    def titles(*methods: MethodChoice) -> tuple[str, ...]:
        return comparison.plan("embedded", "cpu", [PictureChoice("a")], methods).titles()

    assert titles(choice(), MethodChoice.default("centre")) == ("Random map", "Centre Gaussian")
    assert titles(choice(cells=7), choice(cells=8)) == (
        "Random map · 7 cells a side",
        "Random map · 8 cells a side",
    )
    assert titles(choice(), choice()) == ("Random map", "Random map #2")
