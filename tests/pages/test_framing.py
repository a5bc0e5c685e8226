"""Crop or fit: chosen once for the session, on every page that takes pictures, and stored with a run."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from decam.images.framing import framed
from decam.images.samples import get
from decam.models import EMBEDDED
from decam.models.cache import Models
from decam.runs.store import Store
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
CAT = "Chelsea the cat"


def fit(visitor: Visitor, key: str = "framing-choice") -> Visitor:
    box = next(one for one in visitor.app.get("button_group") if one.key == key)
    box.set_value("fit")
    return visitor.look()


def test_the_card_shows_the_whole_photograph_with_the_crop_framed_and_fitted_what_the_model_is_shown() -> None:
    visitor = Visitor().sample("chelsea")
    photograph = get("chelsea").load()
    height, width, _ = visitor.picture(CAT).shape
    assert width / height == pytest.approx(photograph.width / photograph.height, rel=0.02)
    fit(visitor)
    card = visitor.picture(CAT)
    assert card.shape[0] == card.shape[1]
    shown = framed(Models().get(EMBEDDED, "cpu"), photograph, "fit")
    small = np.asarray(Image.fromarray(shown).resize(card.shape[:2]), float)
    assert np.abs(small - card).mean() < 8


def test_a_fitted_picture_is_explained_so_and_the_run_says_so_wherever_it_is_opened(server) -> None:
    visitor = fit(Visitor().sample("chelsea")).methods("grad-cam").quick()
    link = visitor.explain()
    visitor.finish()
    store = Store(server)
    run = store.load(link)
    store.close()
    assert run.plan.pictures[0].framing == "fit"
    expected = framed(Models().get(EMBEDDED, "cpu"), get("chelsea").load(), "fit")
    np.testing.assert_array_equal(run.views[0], expected)
    assert visitor.grid["rows"][0]["original"]["part"] is None, "all of it is seen"
    guest = Visitor(link)
    box = next(one for one in guest.app.get("button_group") if one.key == "framing-choice")
    assert box.value == "fit"
    assert not guest.says("These maps")
    assert not guest.says("not chosen any more")


OWN = {"methods": "field-framing", "metrics": "metric-framing"}
PLACES = {"de_cam": "framing-choice", "sanity": "framing-choice", **OWN}


@pytest.mark.parametrize(("page", "key"), PLACES.items())
def test_the_choice_goes_along_to_every_page_that_takes_pictures(page: str, key: str) -> None:
    visitor = fit(Visitor().sample("chelsea")).visit(page)
    box = next(one for one in visitor.app.get("button_group") if one.key == key)
    assert box.value == "fit"
    box.set_value("crop")
    visitor.look().visit("compare")
    assert next(one for one in visitor.app.get("button_group") if one.key == "framing-choice").value == "crop"


def test_maps_of_a_crop_are_no_maps_of_the_fitted_picture() -> None:
    visitor = Visitor().sample("chelsea").methods("grad-cam").quick()
    visitor.explain()
    fit(visitor.finish())
    assert visitor.says("The framing is *Crop*. Explain again for *Fit*.")
    assert not visitor.says("not chosen any more") and not visitor.says("There are no maps")
