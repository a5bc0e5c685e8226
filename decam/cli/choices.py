"""What a command line asks for: methods and metrics by name, with their settings."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence

from decam.classifier import Classifier
from decam.errors import SettingError
from decam.experiments.plan import MethodChoice, MetricChoice
from decam.methods import described
from decam.metrics import METRICS
from decam.metrics import get as get_metric
from decam.settings import Settings


def choices(
    methods: Sequence[str], metrics: Sequence[str], pairs: Sequence[str], classifier: Classifier | None = None
) -> tuple[tuple[MethodChoice, ...], tuple[MetricChoice, ...]]:
    """Methods and metrics by name with settings given as "name.setting=value"; others suit the classifier, if given.

    Raises MethodError for an unknown name, SettingError for one given twice and for anything wrong with a setting.
    """
    rows = {name: described(name).settings for name in methods} | {name: get_metric(name).settings for name in metrics}
    for option, names in (("--method", methods), ("--metric", metrics)):
        for name in names:
            if names.count(name) > 1:
                raise SettingError(f"{option} {name} is given twice; give each once.")
    values = _values(rows, pairs)
    if classifier is not None:
        values |= {name: {**described(name).suited(classifier), **values[name]} for name in methods}
    settings = {name: _settings(name, row, values[name]) for name, row in rows.items()}
    return (
        tuple(MethodChoice(name, settings[name]) for name in methods),
        tuple(MetricChoice(name, settings[name]) for name in metrics),
    )


def refuse_idle(given: argparse.Namespace, names: Iterable[str], beside: str) -> None:
    """Raise SettingError where one of these options is given, which does nothing beside another one."""
    for name in names:
        value = getattr(given, name)
        if value is not None and value is not False and value != []:
            raise SettingError(f"--{name.replace('_', '-')} does nothing {beside}; leave it out.")


def _values(rows: Mapping[str, type[Settings]], pairs: Sequence[str]) -> dict[str, dict[str, object]]:
    """The values that are given, by name and setting."""
    values: dict[str, dict[str, object]] = {name: {} for name in rows}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        name, dot, setting = path.strip().partition(".")
        if not equals or not dot:
            raise SettingError(f"--set takes NAME.SETTING=VALUE, such as de-cam.budget=500, not {pair!r}.")
        if name not in rows:
            raise SettingError(
                f"--set {pair} is for a {_kind(name)} that is not asked for; add --{_kind(name)} {name}."
            )
        values[name][setting] = _value(rows[name], setting, text.strip())
    return values


def _kind(name: str) -> str:
    """Whether a name is a metric's; raises MethodError where it is neither a metric's nor a method's."""
    if name in METRICS:
        return "metric"
    described(name)
    return "method"


def _value(row: type[Settings], setting: str, text: str) -> object:
    """The text of a value in the setting's own type; the text itself where it does not fit, for the check to refuse."""
    kind = next((parameter.kind for parameter in row.parameters() if parameter.name == setting), str)
    if kind is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def _settings(name: str, row: type[Settings], values: Mapping[str, object]) -> Settings:
    try:
        return row.from_mapping(values)
    except SettingError as error:
        raise SettingError(f"{name}: {error}") from error
