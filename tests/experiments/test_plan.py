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

from decam.classifier import Speed
from decam.errors import DecamError, MethodError, ModelError, SettingError
from decam.experiments.plan import MAX_SEED, MethodChoice, MetricChoice, PictureChoice, Plan, Versions, fingerprint
from decam.methods import METHODS
from decam.methods.base import Method
from decam.metrics import CURVES, METRICS, Metric
from decam.metrics.base import FILLS
from decam.settings import Parameter


def a_plan(**changes: Any) -> Plan:
    plan = Plan(
        model="embedded",
        device="cpu",
        pictures=(PictureChoice("a.png"), PictureChoice("Löwe.jpg", target=291, sha256="ab", truth="cd")),
        methods=tuple(MethodChoice.default(name) for name in METHODS),
        metrics=tuple(MetricChoice.default(name) for name, metric in METRICS.items() if metric not in CURVES),
        speed=Speed("bfloat16", True, 32, 2, "fastest"),
    )
    return dataclasses.replace(plan, **changes)


def altered(**changes: object) -> str:
    """The JSON of a plan with some of its top entries replaced (None removes one)."""
    read = json.loads(a_plan().to_json()) | changes
    return json.dumps({name: value for name, value in read.items() if value is not None or name == "speed"})


def test_json_brings_back_an_equal_plan_with_every_method() -> None:
    plan = a_plan()
    assert Plan.from_json(plan.to_json()) == plan
    assert {choice.name for choice in plan.methods} == set(METHODS)
    assert {choice.name for choice in plan.metrics} == set(METRICS) - {metric.name for metric in CURVES}


def test_a_plan_from_before_there_were_metrics_has_none() -> None:
    described = json.loads(altered(format=1))
    del described["metrics"]
    assert Plan.from_json(json.dumps(described)) == a_plan(metrics=())


def test_a_metric_is_named_once_and_takes_its_own_settings() -> None:
    twice = MetricChoice.default("sparsity")
    with pytest.raises(SettingError, match="metric appears twice"):
        a_plan(metrics=(twice, twice))
    with pytest.raises(SettingError, match="leave it out of the metrics"):
        a_plan(metrics=(MetricChoice.default("deletion"),))
    with pytest.raises(SettingError, match="deletion takes DeletionSettings"):
        MetricChoice("deletion", METHODS["rise"].settings())


@given(
    seed=st.integers(0, MAX_SEED),
    steps=st.integers(2, 500),
    fills=st.lists(st.tuples(st.sampled_from(FILLS), st.sampled_from(FILLS)), unique=True, max_size=6),
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
    plan = a_plan(
        seed=seed,
        steps=steps,
        fills=tuple(fills),
        pictures=tuple(PictureChoice(name, target) for name, target in zip(names, targets, strict=False)),
        speed=Speed(batch_size=batch, note=note),
    )
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json(plan.to_json().encode()) == plan


def test_a_plan_from_before_there_were_streams_is_asked_one_batch_at_a_time() -> None:
    speed = {"precision": "float32", "channels_last": True, "batch_size": 4}
    assert Plan.from_json(altered(speed=speed)).speed == Speed("float32", True, 4, 1)


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
        ({"model": ""}, ModelError, "names no model"),
        ({"device": "banana"}, SettingError, "no device 'banana'"),
        ({"pictures": ()}, SettingError, "at least one picture"),
        ({"methods": ()}, SettingError, "at least one picture and one method"),
        ({"seed": -1}, SettingError, "seed is -1"),
        ({"seed": MAX_SEED + 1}, SettingError, "between 0 and"),
        ({"steps": 1}, SettingError, "steps is 1"),
        ({"steps": 501, "fills": ()}, SettingError, "steps is 501"),
        ({"fills": (("mean", "green"),)}, SettingError, "green"),
        ({"fills": (("mean", "blur"), ("mean", "blur"))}, SettingError, "appears twice"),
        ({"speed": Speed(batch_size=0)}, SettingError, "batch_size is 0"),
        ({"speed": Speed(streams=0)}, SettingError, "streams is 0"),
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
        PictureChoice("a", target=-1)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", SettingError, "not JSON"),
        ("{", SettingError, "not JSON"),
        ("[" * 100_000, SettingError, "not JSON"),
        (b"\xff\xfe\xfa", SettingError, "not JSON"),
        ("[]", SettingError, "not a plan"),
        ('{"name": "x"}', SettingError, "not a plan"),
        (altered(format=3), SettingError, "format 3.*update decam"),
        (altered(format="1"), SettingError, "format must be a whole number"),
        (altered(colour="red"), SettingError, "no 'colour' in the plan"),
        (altered(steps=None), SettingError, "'steps' is missing"),
        (altered(steps=True), SettingError, "steps must be a whole number"),
        (altered(steps=10.5), SettingError, "steps must be a whole number"),
        (altered(steps=1000), SettingError, "steps is 1000"),
        (altered(seed=-4), SettingError, "seed is -4"),
        (altered(model=7), ModelError, "model must be a name"),
        (altered(device="gpu?"), SettingError, "no device"),
        (altered(pictures={}), SettingError, "pictures must be a list"),
        (altered(pictures=["a.png"]), SettingError, "a picture of the plan must be an object"),
        (altered(pictures=[{"name": "a", "size": 3}]), SettingError, "no 'size' in a picture"),
        (altered(pictures=[{"name": "a", "target": "cat"}]), SettingError, "target must be a whole number"),
        (altered(methods=[{"name": "telepathy", "settings": {}}]), MethodError, "telepathy"),
        (altered(methods=[{"name": "rise"}]), SettingError, "'settings' is missing"),
        (altered(methods=[{"name": "rise", "settings": {"colour": 1}}]), SettingError, "rise: There is no setting"),
        (altered(fills=[["mean", "blur"]]), SettingError, "fills must be an object"),
        (altered(fills=[{"deletion": "mean", "insertion": "green"}]), SettingError, "no fill 'green'"),
        (altered(speed={"precision": "int4", "channels_last": True, "batch_size": 1}), SettingError, "int4"),
        (
            altered(speed={"precision": "float32", "channels_last": True, "batch_size": 1, "streams": "2"}),
            SettingError,
            "streams must be a whole number",
        ),
        (altered(speed={"precision": "float32", "channels_last": 1, "batch_size": 1}), SettingError, "true or false"),
        (altered(versions=[]), SettingError, "versions must be an object"),
    ],
)
def test_json_that_is_no_plan_ends_in_one_sentence(text: str | bytes, error: type[DecamError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        Plan.from_json(text)
    assert "\n" not in str(caught.value)


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
        return Plan("embedded", "cpu", (PictureChoice("a"),), methods).titles()

    assert titles(choice(), MethodChoice.default("centre")) == ("Random map", "Centre Gaussian")
    assert titles(choice(cells=7), choice(cells=8)) == ("Random map · 7", "Random map · 8")
    assert titles(choice(), choice()) == ("Random map", "Random map #2")
