// Following a run in the browser, with a server and a clock that do as they are told. Run by tests/ui/components/test_scripts.py, or by `node --test`.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { feeds, Follower, merged, newer } from "../../../../decam/ui/components/shared/live.js";

class FakeSource {
  static CLOSED = 2;
  static made = [];

  constructor(url) {
    Object.assign(this, { url, listeners: {}, readyState: 1, closed: false });
    FakeSource.made.push(this);
  }

  addEventListener(name, act) {
    this.listeners[name] = act;
  }

  close() {
    this.closed = true;
  }

  say(name, value = {}) {
    this.listeners[name]({ data: JSON.stringify(value) });
  }

  fail(readyState) {
    this.readyState = readyState;
    this.onerror();
  }
}

const page = { hidden: false, look: [], addEventListener: (_, act) => page.look.push(act), removeEventListener: () => {}, querySelector: () => null };
const answers = [];
const asked = [];

async function fakeFetch(url) {
  asked.push(url);
  const answer = answers.shift();
  if (answer === undefined) throw new TypeError("Failed to fetch");
  return { ok: answer.status === undefined, json: async () => answer };
}

const settled = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  for (const list of [FakeSource.made, answers, asked, page.look]) list.length = 0;
  page.hidden = false;
  delete globalThis.decamFeeds;
  Object.assign(globalThis, { document: page, location: { origin: "http://here" }, EventSource: FakeSource, fetch: fakeFetch });
});

const LIVE = { url: "/live/abc", version: "1000" };
const cell = (column, state, search = null) => ({ cell: { row: "0", column, state }, search });
const search = (from, points) => ({ from, points: points.map((each) => [each, { best: each }]) });
const run = (version) => ({ version: String(version), title: "Running" });

function follower() {
  const heard = { news: [], end: 0, lost: 0 };
  const one = new Follower({ news: (news) => heard.news.push(news), end: () => (heard.end += 1), lost: () => (heard.lost += 1) });
  return { one, heard };
}

test("versions are compared as numbers although they are too large for numbers", () => {
  assert.ok(newer("1795813639268083380", "1795813639268083379") > 0);
  assert.ok(newer("999", "1000") < 0);
  assert.ok(newer("1000", "1000") === 0);
});

test("points that come are joined to those before, twice the same change nothing, and a gap is noticed", () => {
  const first = merged(undefined, cell("0", "running", search(0, [1, 2])));
  const second = merged(first, cell("0", "running", search(2, [3])));
  const again = merged(second, cell("0", "running", search(2, [3])));
  for (const one of [second, again]) assert.deepEqual(one.search.points.map(([place]) => place), [1, 2, 3]);
  assert.equal(merged(second, cell("0", "running", search(4, [5]))), null);
  assert.deepEqual(merged(second, cell("0", "running", search(0, [9]))).search.points.map(([place]) => place), [9]);
});

test("all that follow a run on a page share one connection, and whoever comes later hears what there is", () => {
  const [first, second] = [follower(), follower()];
  first.one.follow(LIVE);
  FakeSource.made[0].say("cell", cell("0", "running"));
  assert.equal(first.heard.news.length, 0, "cells are shown with the run that they belong to");
  FakeSource.made[0].say("run", run(1001));
  second.one.follow(LIVE);
  assert.equal(FakeSource.made.length, 1);
  assert.equal(FakeSource.made[0].url, "http://here/live/abc?drawn=1000");
  assert.deepEqual(first.heard.news, second.heard.news.map(({ cells, run }) => ({ cells, run })));
  assert.deepEqual(second.heard.news[0].cells[0].cell.state, "running");
});

test("what a page drew after the news is not taken back by it", () => {
  const { one } = follower();
  one.follow(LIVE);
  FakeSource.made[0].say("cell", cell("0", "running"));
  FakeSource.made[0].say("run", run(1001));
  assert.equal(one.newest({ ...LIVE, version: "1001" }), null);
  assert.equal(one.newest({ ...LIVE, version: "1000" }).cells.length, 1);
});

test("a stream that never speaks is asked in turns instead, once a second, by what is known", async () => {
  const { one, heard } = follower();
  one.follow(LIVE);
  answers.push({ cells: [cell("0", "running")], run: run(1001), ended: false });
  FakeSource.made[0].fail(FakeSource.CLOSED);
  await settled();
  assert.ok(FakeSource.made[0].closed);
  answers.push({ cells: [cell("0", "done")], run: run(1002), ended: true });
  mock.timers.tick(1000);
  await settled();
  assert.deepEqual(asked, ["http://here/live/abc?once=1&drawn=1000", "http://here/live/abc?once=1&since=1001"]);
  assert.deepEqual(heard.news.map(({ cells }) => cells[0].cell.state), ["running", "done"]);
  assert.deepEqual([heard.end, heard.lost], [1, 0]);
  mock.timers.tick(5000);
  await settled();
  assert.equal(asked.length, 2, "nobody asks after the end");
});

test("a stream that is held back by a proxy is left after half a minute without a word", async () => {
  const { one } = follower();
  one.follow(LIVE);
  mock.timers.tick(20000);
  FakeSource.made[0].say("beat");
  mock.timers.tick(29000);
  assert.equal(asked.length, 0, "a beat is a word");
  mock.timers.tick(1000);
  await settled();
  assert.equal(asked.length, 1);
});

test("where the server answers neither, whoever follows is told so once a second; where it is away, nobody is", async () => {
  const { one, heard } = follower();
  one.follow(LIVE);
  answers.push({ status: 404 }, { status: 503 });
  FakeSource.made[0].fail(FakeSource.CLOSED);
  await settled();
  assert.equal(heard.lost, 1);
  for (let i = 0; i < 3; i += 1) {
    mock.timers.tick(1000);
    await settled();
  }
  assert.equal(asked.length, 4);
  assert.equal(heard.lost, 2);
});

test("a stream that breaks off after it has spoken is opened again where it stood", () => {
  const { one } = follower();
  one.follow(LIVE);
  FakeSource.made[0].say("run", run(1001));
  FakeSource.made[0].fail(0);
  assert.equal(FakeSource.made.length, 1, "the browser connects again by itself");
  FakeSource.made[0].fail(FakeSource.CLOSED);
  mock.timers.tick(1000);
  assert.equal(FakeSource.made[1].url, "http://here/live/abc?since=1001");
});

test("points that are missing in between are asked for anew, all of them", () => {
  const { one, heard } = follower();
  one.follow(LIVE);
  FakeSource.made[0].say("cell", cell("0", "running", search(3, [4])));
  FakeSource.made[0].say("run", run(1001));
  assert.equal(heard.news.length, 0);
  mock.timers.tick(1000);
  assert.equal(FakeSource.made[1].url, "http://here/live/abc");
});

test("a page that nobody looks at holds no connection, and takes it up where it stood", () => {
  const { one } = follower();
  one.follow(LIVE);
  FakeSource.made[0].say("run", run(1001));
  page.hidden = true;
  page.look.forEach((look) => look());
  assert.ok(FakeSource.made[0].closed);
  page.hidden = false;
  page.look.forEach((look) => look());
  assert.equal(FakeSource.made[1].url, "http://here/live/abc?since=1001");
});

test("the connection outlives a moment without followers, and no longer", () => {
  const [first, second] = [follower(), follower()];
  first.one.follow(LIVE);
  first.one.stop();
  second.one.follow(LIVE);
  mock.timers.tick(2000);
  assert.ok(!FakeSource.made[0].closed);
  second.one.stop();
  mock.timers.tick(2000);
  assert.ok(FakeSource.made[0].closed);
  assert.equal(feeds().size, 0);
});

test("the end is told once to each, and a run that goes on after it is followed anew", () => {
  const [first, second] = [follower(), follower()];
  first.one.follow(LIVE);
  second.one.follow(LIVE);
  FakeSource.made[0].say("end");
  assert.deepEqual([first.heard.end, second.heard.end], [1, 1]);
  assert.ok(FakeSource.made[0].closed);
  first.one.follow(null);
  first.one.follow({ ...LIVE, version: "2000" });
  assert.equal(FakeSource.made[1].url, "http://here/live/abc?drawn=2000");
});
