"""Lost networks, closed pages and killed servers: a participant goes on at the same trial, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from decam.studies.responses import Lane
from decam.studies.road import road
from tests.browser.conftest import Watch
from tests.browser.study_taking import TRIALS, Taking, all_there, begun
from tests.tools.server import Server

pytestmark = pytest.mark.browser


def test_answers_given_without_a_network_are_sent_when_it_is_back(
    common_server: Server, context: BrowserContext, page: Page, watch: Watch
) -> None:
    watch.server_goes = True
    store, record, taking = begun(common_server, page, 3)
    context.set_offline(True)
    taking.take(taking.steps[3:6])
    expect(page.get_by_text("No connection.")).to_be_visible()
    assert len(store.answers(record.id, Lane.REHEARSAL)) == 3
    context.set_offline(False)
    taking.take(taking.steps[6:])
    taking.finished()
    all_there(store, record, taking)


def test_a_page_closed_without_a_network_sends_what_it_kept_when_it_is_opened_again(
    common_server: Server, context: BrowserContext, page: Page, watch: Watch
) -> None:
    watch.server_goes = True
    store, record, first = begun(common_server, page, 2)
    context.set_offline(True)
    first.take(first.steps[2:4])
    first.at(first.steps[4])
    page.close()
    context.set_offline(False)
    second = Taking(context.new_page(), record)
    second.given = first.given
    second.open(common_server)
    second.at(second.steps[4])
    expect(second.page.get_by_text("Welcome back.")).to_be_visible()
    second.take(second.steps[4:])
    second.finished()
    all_there(store, record, second)


def test_a_killed_server_costs_nothing(start_server: Callable[..., Server], page: Page, watch: Watch) -> None:
    watch.server_goes = True
    server = start_server()
    store, record, taking = begun(server, page, 3)
    server.kill()
    taking.take(taking.steps[3:5])
    expect(page.get_by_text("No connection.")).to_be_visible()
    server.start()
    taking.take(taking.steps[5:])
    taking.finished()
    all_there(store, record, taking)


def test_the_last_answer_is_waited_for(
    common_server: Server, context: BrowserContext, page: Page, watch: Watch
) -> None:
    watch.server_goes = True
    store, record, taking = begun(common_server, page, len(road(TRIALS, 0)) - 1)
    context.set_offline(True)
    taking.answer(taking.steps[-1])
    expect(page.get_by_text(re.compile("Your last answers are being saved"))).to_be_visible()
    expect(page.get_by_text("All your answers are saved")).to_have_count(0)
    context.set_offline(False)
    taking.finished()
    all_there(store, record, taking)
