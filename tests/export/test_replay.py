"""An export replayed gives the same maps, and whatever was changed since is found and said."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from decam.classifier import Classifier, TorchClassifier
from decam.errors import DecamError, ImageError, SettingError, StoreError
from decam.experiments.cells import CellKey
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison, randomisation
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, usual_metrics
from decam.experiments.variants import models_by
from decam.explanation import last
from decam.export import write
from decam.export.replay import Remade, Remaking, read, remake
from decam.methods import get

SETTINGS: dict[str, dict[str, object]] = {
    "de-cam": {"budget": 200},
    "grad-cam": {},
    "integrated-gradients": {"steps": 4},
    "occlusion": {"stride": 0.2},
    "rise": {"budget": 32},
    "random": {},
    "centre": {},
}


def _small() -> TorchClassifier:
    """An untrained network, the same each time."""
    generator = torch.Generator().manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    for weights in module.parameters():
        weights.data = torch.randn(weights.shape, generator=generator) * 0.5
    return TorchClassifier("small", module, ["a", "b", "c"], input_size=(48, 40), layer="2", layers=("0", "2"))


def _views(classifier: Classifier) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(0)
    pictures = [Image.fromarray(generator.integers(0, 256, (60, 60, 3), dtype=np.uint8)) for _ in range(2)]
    return tuple(classifier.view(picture) for picture in pictures)


def _choices(settings: dict[str, dict[str, object]]) -> list[MethodChoice]:
    return [MethodChoice(name, get(name).settings.from_mapping(given)) for name, given in settings.items()]


def _written(classifier: Classifier, folder: Path, plan: Plan) -> Path:
    begun = Grid.empty(plan, _views(classifier)[: len(plan.pictures)], labels=classifier.labels)
    grid = last(execute(begun, models_by(lambda _: classifier)))
    assert grid.complete and not any(cell.error for cell in grid.cells.values())
    write(grid, folder)
    return folder / "settings.json"


def _exported(classifier: Classifier, folder: Path, settings: dict[str, dict[str, object]]) -> Path:
    plan = comparison.plan(
        classifier.name,
        "cpu",
        (PictureChoice("one.png"), PictureChoice("two.png")),
        _choices(settings),
        targets=(None, 1),
        seed=11,
        execution=classifier.execution,
    )
    return _written(classifier, folder, plan)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay") / "export"
    _exported(_small(), folder, {"random": {}, "rise": {"budget": 16}})
    return folder


@pytest.fixture
def settings(pristine: Path, tmp_path: Path) -> Path:
    """A copy of an export with two pictures by two methods, to be damaged."""
    shutil.copytree(pristine, tmp_path / "export")
    return tmp_path / "export" / "settings.json"


def _remade(settings: Path, classifier: Classifier | None = None) -> list[Remade]:
    model = classifier or _small()
    return [event for event in remake(read(settings), models_by(lambda _: model)) if isinstance(event, Remade)]


@pytest.mark.slow
def test_every_method_makes_the_same_maps_again_bit_for_bit(tmp_path: Path):
    settings = _exported(_small(), tmp_path / "export", SETTINGS)
    recording = read(settings)
    assert recording.warnings == () and len(recording.maps) == 14
    events = list(remake(recording, lambda _: _small()))
    remade = [event for event in events if isinstance(event, Remade)]
    assert any(isinstance(event, Remaking) for event in events)
    assert [event.verdict for event in remade] == ["identical"] * 14
    assert all(event.identical and event.difference == 0.0 for event in remade)
    for event in remade:
        with np.load(settings.parent / event.recorded.file) as content:
            assert content["saliency"].tobytes() == event.explanation.saliency.tobytes()


@pytest.mark.slow
def test_a_real_model_makes_the_same_maps_again(squeezenet: TorchClassifier, tmp_path: Path):
    settings = _exported(squeezenet, tmp_path / "export", {"grad-cam": {}, "rise": {"budget": 16}})
    assert [event.verdict for event in _remade(settings, squeezenet)] == ["identical"] * 4


def test_another_model_is_found_out_with_the_size_of_the_difference(settings: Path):
    other = _small()
    with torch.no_grad():
        next(other.module.parameters()).mul_(1.5)
    by_method = {(event.recorded.cell.question, event.explanation.method): event for event in _remade(settings, other)}
    assert by_method[0, "random"].identical  # asks the model nothing
    rise = by_method[0, "rise"]
    with np.load(settings.parent / rise.recorded.file) as content:
        expected = float(np.abs(content["saliency"].astype(float) - rise.explanation.saliency).max())
    assert not rise.identical and rise.difference == pytest.approx(expected) and expected > 0
    assert "differs by at most" in rise.verdict


def test_a_map_that_is_missing_is_compared_by_its_fingerprint(settings: Path):
    for path in (settings.parent / "maps").iterdir():
        path.unlink()
    for event in _remade(settings):
        assert event.identical and event.difference is None and "is not here" in event.verdict


def test_a_map_changed_since_the_export_is_not_called_identical(settings: Path):
    path = settings.parent / "maps" / "01_one_random.npz"
    with np.load(path) as content:
        saliency = content["saliency"].copy()
    saliency[3, 3] += 1
    np.savez(path, saliency=saliency)
    changed, *others = _remade(settings)
    assert not changed.identical and changed.difference == pytest.approx(1, abs=1e-5)
    assert "has been changed since the export" in changed.verdict
    assert all(event.identical for event in others)


def test_the_seed_of_the_export_is_what_is_used(settings: Path):
    content = json.loads(settings.read_text())
    for entry in content["maps"]:
        entry["seed"] += 1
    settings.write_text(json.dumps(content))
    assert not any(event.identical for event in _remade(settings))


def test_other_versions_are_warned_of(settings: Path):
    content = json.loads(settings.read_text())
    content["plan"]["versions"]["torch"] = "1.0"
    settings.write_text(json.dumps(content))
    (warning,) = read(settings).warnings
    assert "torch 1.0" in warning and torch.__version__.split("+")[0] in warning


@pytest.mark.slow
def test_the_number_of_threads_is_the_exports_while_replaying_and_restored_after(settings: Path):
    before = torch.get_num_threads()
    content = json.loads(settings.read_text())
    content["threads"] = before + 1
    settings.write_text(json.dumps(content))
    events = remake(read(settings), lambda _: _small())
    next(events)
    assert torch.get_num_threads() == before + 1
    events.close()
    assert torch.get_num_threads() == before


def test_a_changed_picture_is_refused_by_its_fingerprint(settings: Path):
    path = settings.parent / "pictures" / "02_two.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(path)
    with pytest.raises(ImageError, match=r"02_two\.png is not the image that was explained"):
        read(settings)


def test_a_picture_saved_anew_with_the_same_pixels_is_accepted(settings: Path):
    path = settings.parent / "pictures" / "02_two.png"
    Image.open(path).convert("RGB").save(path, compress_level=0)
    assert len(read(settings).views) == 2


def test_a_missing_picture_is_one_sentence(settings: Path):
    (settings.parent / "pictures" / "01_one.png").unlink()
    with pytest.raises(ImageError, match=r"01_one\.png is missing"):
        read(settings)


def test_a_damaged_map_is_one_sentence(settings: Path):
    (settings.parent / "maps" / "01_one_random.npz").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(StoreError, match="is damaged"):
        _remade(settings)


def _edit(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def edit(settings: Path) -> None:
        content = json.loads(settings.read_text())
        change(content)
        settings.write_text(json.dumps(content))

    return edit


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (lambda path: path.unlink(), StoreError, "cannot be read"),
        (lambda path: path.write_text("{"), SettingError, "is not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), SettingError, "is not JSON"),
        (lambda path: path.write_text("[" * 100_000), SettingError, "is not JSON"),
        (lambda path: path.write_text("[]"), SettingError, "no settings of decam"),
        (_edit(lambda content: content.update(kind="x")), SettingError, "no settings of decam"),
        (_edit(lambda content: content.update(format=99)), SettingError, "format 99"),
        (_edit(lambda content: content.pop("plan")), SettingError, "'plan' is missing"),
        (_edit(lambda content: content["maps"][0].update(method=9)), SettingError, "is damaged"),
        (_edit(lambda content: content["maps"][0].update(file="../x.npz")), SettingError, "outside the export"),
        (_edit(lambda content: content.update(pictures=["/etc/passwd", "b"])), SettingError, "outside the export"),
        (_edit(lambda content: content["pictures"].pop()), SettingError, "do not fit the plan"),
        (_edit(lambda content: content.update(maps=[3])), SettingError, "is damaged"),
        (_edit(lambda content: content["plan"]["methods"][1].update(name="nonsense")), DecamError, "nonsense"),
        (_edit(lambda content: content["plan"]["methods"][1]["settings"].update(budget=-1)), SettingError, "budget"),
    ],
)
def test_settings_that_are_no_exports_are_one_sentence(
    settings: Path, damage: Callable[[Path], object], error: type[DecamError], words: str
):
    damage(settings)
    with pytest.raises(error) as caught:
        read(settings)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_replayed_plan_is_the_one_that_was_made(settings: Path):
    recording = read(settings)
    assert dataclasses.replace(recording.plan.pictures[0], sha256="") == PictureChoice("one.png")
    assert recording.plan.seed == 11 and [choice.name for choice in recording.plan.methods] == ["random", "rise"]


FIRST = Path(__file__).with_name("first_format.json")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """What the first format of an export kept: settings.json, as it was written then, and the pictures."""
    (tmp_path / "pictures").mkdir()
    for name, view in zip(("01_one", "02_two"), _views(_small()), strict=True):
        Image.fromarray(view).save(tmp_path / "pictures" / f"{name}.png")
    shutil.copy(FIRST, tmp_path / "settings.json")
    return tmp_path / "settings.json"


def test_an_export_of_the_first_format_is_read_and_its_maps_made_again(first: Path):
    plan = read(first).plan
    assert [(question.picture, question.target, question.seed) for question in plan.questions] == [
        (0, None, 11),
        (1, 1, 11),
    ]
    assert [choice.name for choice in plan.methods] == ["random", "centre"]
    assert plan.execution == _small().execution and plan.metrics == ()
    remade = _remade(first)
    assert [event.recorded.cell for event in remade] == [CellKey(q, m) for q in range(2) for m in range(2)]
    assert all(event.identical for event in remade)
    assert [event.explanation.target for event in remade] == [2, 2, 1, 1]


def test_fills_and_steps_of_the_first_format_become_metrics(first: Path):
    content = json.loads(first.read_text())
    content["plan"]["fills"] = [{"deletion": "mean", "insertion": "blur"}, {"deletion": "black", "insertion": "noise"}]
    first.write_text(json.dumps(content))
    assert read(first).plan.metrics == usual_metrics((("mean", "blur"), ("black", "noise")), 4)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_maps_of_a_randomisation_are_made_again_from_the_same_random_weights(mode: randomisation.Mode, tmp_path: Path):
    classifier = _small()
    choices = _choices({"gradient": {}, "random": {}})
    plan = randomisation.plan(classifier, PictureChoice("one.png"), choices, mode=mode, seed=4)
    settings = _written(classifier, tmp_path / "export", plan)
    recording = read(settings)
    assert recording.plan.questions == plan.questions
    names = [recorded.file for recorded in recording.maps]
    assert names[:4] == [
        "maps/01_one_gradient.npz",
        "maps/01_one_random.npz",
        "maps/01_one_01-6_gradient.npz",
        "maps/01_one_01-6_random.npz",
    ]
    remade = _remade(settings)
    assert len(remade) == 8 and all(event.verdict == "identical" for event in remade)
    gradients = [event.explanation.saliency.tobytes() for event in remade if event.explanation.method == "gradient"]
    assert len(set(gradients)) == 4  # each from other weights
    assert len({event.explanation.target for event in remade}) == 1

    content = json.loads(settings.read_text())
    for question in content["plan"]["questions"][1:]:
        question["model"]["variant"]["seed"] += 1
    settings.write_text(json.dumps(content))
    changed = {(event.recorded.cell.question, event.explanation.method): event.identical for event in _remade(settings)}
    assert changed[0, "gradient"] and all(changed[question, "random"] for question in range(4))
    assert not any(changed[question, "gradient"] for question in range(1, 4))
