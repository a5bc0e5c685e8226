"""Plans are checked when made."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np
import pytest

from decam.classifier import Execution
from decam.errors import DecamError, MethodError, ModelError, SettingError
from decam.experiments import kinds
from decam.experiments.kinds import KINDS, Kind, comparison
from decam.experiments.kinds import get as get_kind
from decam.experiments.plan import (
    MethodChoice,
    MetricChoice,
    PictureChoice,
    fingerprint,
    paired_metrics,
    usual_metrics,
)
from decam.experiments.questions import MAX_SEED, ModelSpec, QuestionSpec, Variant
from decam.methods import METHODS
from decam.metrics import METRICS, RANDOMISATION
from tests.experiments.plans import a_plan, two_models
from tests.tools.rows import made_in


def test_every_kind_that_a_module_makes_is_in_the_table_once() -> None:
    assert {id(row) for row in made_in(kinds, Kind)} == {id(row) for row in KINDS.values()}


def test_a_kind_of_plan_is_found_by_its_name_and_another_is_a_sentence() -> None:
    assert all(get_kind(name) is row and row.name == name for name, row in KINDS.items())
    with pytest.raises(SettingError, match=f"no kind of plan 'séance'; there are: {', '.join(KINDS)}"):
        get_kind("séance")


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


def test_a_fingerprint_is_the_sha256_of_the_pixels() -> None:
    view = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert fingerprint(view) == hashlib.sha256(bytes(range(48))).hexdigest()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"device": "banana"}, SettingError, "no device 'banana'"),
        ({"questions": ()}, SettingError, "at least one image"),
        ({"methods": ()}, SettingError, "at least one image or class, and one method"),
        ({"pictures": ()}, SettingError, "about image 0, which is not there"),
        ({"questions": (QuestionSpec(ModelSpec("m"), 0, reference=0),)}, SettingError, "does not come before it"),
        ({"execution": Execution(batch_size=0)}, SettingError, "batch_size is 0"),
        ({"execution": Execution(parallel_batches=0)}, SettingError, "parallel_batches is 0"),
    ],
)
def test_a_plan_out_of_bounds_is_refused(changes: dict[str, Any], error: type[DecamError], words: str) -> None:
    with pytest.raises(error, match=words):
        a_plan(**changes)


def test_insertion_is_paired_with_deletion_in_the_order_in_which_a_plan_has_them() -> None:
    def choice(name: str, fill: str) -> MetricChoice:
        return MetricChoice.default(name, fill=fill, steps=50)

    deletions = [choice("deletion", fill) for fill in ("mean", "blur", "black")]
    insertions = [choice("insertion", fill) for fill in ("blur", "mean")]
    alone = [MetricChoice.default("sparsity"), MetricChoice.default("insertion-correlation")]
    mixed = [insertions[0], *alone, *deletions, insertions[1]]
    assert paired_metrics(mixed) == list(zip(insertions, deletions[:2], strict=True))
    assert paired_metrics(usual_metrics()) == [
        (choice("insertion", "blur"), choice("deletion", "mean")),
        (choice("insertion", "mean"), choice("deletion", "blur")),
    ]
    assert paired_metrics([*deletions, *alone]) == paired_metrics([]) == []


def test_a_metric_is_subtracted_from_another_one_of_the_table() -> None:
    named = {row.name: row.difference.less for row in METRICS.values() if row.difference is not None}
    assert named == {"insertion": "deletion"} and set(named.values()) <= set(METRICS)


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
