"""In sentences, how a run that is shown differs from what is chosen on its page now, or from another run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from decam.classifier.contrast import contrast_label
from decam.experiments.plan import MethodChoice, MetricChoice, Plan, label_at
from decam.hardware.device import devices
from decam.images.framing import FRAMINGS
from decam.methods import described
from decam.metrics import get as get_metric
from decam.models.catalogue import title_of
from decam.numerals import listed
from decam.runs.snapshots import RunSnapshot
from decam.ui import text
from decam.ui.shared.pictures import FRAMING_TITLES

MOST = 4
"""The most sentences; a page that differs in more ways says that there are others."""
BETWEEN = 10
"""The most between two runs, of which everything is said that fits."""


@dataclass(frozen=True)
class Wording:
    """How a difference is said; in braces is what differs. `few` and `many` are for one thing and for several."""

    changed: str
    gone_few: str
    gone_many: str
    to_come: str
    weights: str
    unmeasured: str

    def change(self, first: str, before: str, now: str) -> str:
        """A value that is another one."""
        return self.changed.format(first=first, before=text.plain(before), now=text.plain(now))

    def gone(self, names: Sequence[str]) -> Iterator[str]:
        """What the run shown has, and the other side has not."""
        if names:
            yield (self.gone_few if len(names) == 1 else self.gone_many).format(names=_listed(names))

    def missing(self, of: str, names: Sequence[str]) -> Iterator[str]:
        """What the other side has, and the run shown has not."""
        if names:
            yield self.to_come.format(of=of, names=_listed(names))


BELOW = Wording(
    changed="{first} *{before}*; below it is *{now}*.",
    gone_few="Only the run above has {names}.",
    gone_many="Only the run above has {names}.",
    to_come="Only the run below has maps {of} {names}.",
    weights="The weights were made random in another way below.",
    unmeasured="Only the run below measures {names} so.",
)


def again(button: str) -> Wording:
    """The words about what is chosen now, which the button with this title would ask."""
    return Wording(
        changed=f"{{first}} *{{before}}*. {button} again for *{{now}}*.",
        gone_few="{names} is not chosen any more.",
        gone_many="{names} are not chosen any more.",
        to_come="There are no maps {of} {names} yet.",
        weights=f"The weights were made random in another way. {button} again for the way that is chosen now.",
        unmeasured=f"{button} again to measure {{names}} as chosen now.",
    )


def sentences(
    snapshot: RunSnapshot,
    wanted: Plan,
    targets: Sequence[int | None],
    labels: Sequence[str],
    button: str,
    left_alone: Collection[int] = (),
) -> tuple[str, ...]:
    """One sentence or two for each difference, in Markdown, the weightiest first; empty where there is none.

    `targets` has the class of each question wanted, `button` is the title of the one that would ask it. Pictures of the
    run at the places `left_alone` need not be wanted.
    """
    words = again(button)
    if snapshot.plan.model != wanted.model:
        return (words.change("These maps are of", title_of(snapshot.plan.model), title_of(wanted.model)),)
    return _first(_all(snapshot, wanted, targets, labels, words, left_alone), MOST)


def between(above: RunSnapshot, below: RunSnapshot) -> tuple[str, ...]:
    """One sentence for each difference between what two runs asked, as by `sentences`; of what came of it, nothing."""
    targets = [below.grid.target_of(question) for question in range(len(below.plan.questions))]
    found = list(_all(above, below.plan, targets, below.labels, BELOW))
    if above.plan.model != below.plan.model:
        found.insert(0, BELOW.change("These maps are of", title_of(above.plan.model), title_of(below.plan.model)))
    more = [one for one in above.plan.metrics if one not in below.plan.metrics]
    if more:
        found.append(f"Only the run above measures {_listed(_titles(more))} so.")
    return _first(found, BETWEEN)


def _first(found: Iterable[str], most: int) -> tuple[str, ...]:
    there = list(found)
    left = len(there) - most
    return (*there[:most], f"And {left} more.") if left > 0 else tuple(there)


def _all(
    snapshot: RunSnapshot,
    wanted: Plan,
    targets: Sequence[int | None],
    labels: Sequence[str],
    words: Wording,
    left_alone: Collection[int] = (),
) -> Iterator[str]:
    yield from _classes(snapshot, wanted, targets, labels, words)
    yield from _pictures(snapshot, wanted, words, left_alone)
    yield from _manner(snapshot.plan, wanted, words)
    yield from _methods(snapshot.plan, wanted, words)
    yield from _metrics(snapshot.plan, wanted, words)


def _identities(plan: Plan, other: Plan) -> list[str]:
    """What tells each picture of a plan from others.

    Models see it in sizes of their own, and it may be framed in another way, but it is called the same.
    """
    again = _framed_anew(plan, other)
    alike = plan.model == other.model
    return [one.sha256 if alike and one.name not in again else one.name for one in plan.pictures]


def _framed_anew(plan: Plan, other: Plan) -> frozenset[str]:
    """The names of pictures that both plans have, once each, but framed in different ways."""
    before, now = (Counter(picture.name for picture in each.pictures) for each in (plan, other))
    framings = {picture.name: picture.framing for picture in other.pictures}
    return frozenset(
        picture.name
        for picture in plan.pictures
        if before[picture.name] == now[picture.name] == 1 and picture.framing != framings[picture.name]
    )


def _classes(
    snapshot: RunSnapshot, wanted: Plan, targets: Sequence[int | None], labels: Sequence[str], words: Wording
) -> Iterator[str]:
    """Pictures whose class is another one now, or the classes where questions are about these."""
    shown_labels = snapshot.labels or labels
    if wanted.about_classes:
        shown = dict.fromkeys(
            snapshot.plan.subject_of(place, shown_labels) for place in range(len(snapshot.plan.questions))
        )
        chosen = dict.fromkeys(wanted.subject_of(place, labels) for place in range(len(wanted.questions)))
        yield from words.gone([name for name in shown if name not in chosen])
        yield from words.missing("of", [name for name in chosen if name not in shown])
        return
    places = {identity: place for place, identity in enumerate(_identities(wanted, snapshot.plan))}
    identities = _identities(snapshot.plan, wanted)
    alone = len(snapshot.plan.pictures) == 1
    told = set()
    for question, spec in enumerate(snapshot.plan.questions):
        picture = snapshot.plan.picture_of(question)
        asked = places.get(identities[snapshot.plan.place_of(question)])
        before = snapshot.grid.target_of(question)
        if asked is None or before is None or spec.picture in told:
            continue
        told.add(spec.picture)
        now, other = next(
            (t, one.against) for t, one in zip(targets, wanted.questions, strict=True) if one.picture == asked
        )
        against = snapshot.plan.against_of(question)
        was, wish = _asked(shown_labels, before, against), "" if now is None else _asked(labels, now, other)
        if now is not None and was != wish:
            first = "These maps are for" if alone else f"The maps of {text.plain(picture.name)} are for"
            yield words.change(first, was, wish)


def _asked(labels: Sequence[str], target: int, against: int | None) -> str:
    label = label_at(labels, target)
    return label if against is None else contrast_label(label, label_at(labels, against))


def _pictures(snapshot: RunSnapshot, wanted: Plan, words: Wording, left_alone: Collection[int] = ()) -> Iterator[str]:
    """Pictures that are framed in another way, those that are not chosen any more, and those without maps."""
    framed, framings = _framed_anew(snapshot.plan, wanted), {one.name: one.framing for one in wanted.pictures}
    for framing in FRAMINGS:
        names = [one.name for one in snapshot.plan.pictures if one.name in framed and one.framing == framing]
        if names:
            first = (
                "The framing is" if len(names) == len(snapshot.plan.pictures) else f"{_listed(names)}: the framing is"
            )
            yield words.change(first, FRAMING_TITLES[framing], FRAMING_TITLES[framings[names[0]]])
    before, now = (_names(one, other) for one, other in ((snapshot.plan, wanted), (wanted, snapshot.plan)))
    kept = {snapshot.plan.pictures[place].name for place in left_alone}
    yield from words.gone([name for identity, name in before.items() if identity not in now and name not in kept])
    yield from words.missing("of", [name for identity, name in now.items() if identity not in before])


def _names(plan: Plan, other: Plan) -> Mapping[str, str]:
    return dict(zip(_identities(plan, other), (picture.name for picture in plan.pictures), strict=True))


def _listed(names: Sequence[str]) -> str:
    shown = [f"*{text.plain(name)}*" for name in names[:3]]
    if len(names) > 3:
        shown.append(f"{len(names) - 3} others")
    return listed(shown)


def _manner(shown: Plan, wanted: Plan, words: Wording) -> Iterator[str]:
    """The device and the seeds, and in which way weights are drawn anew."""
    if shown.device != wanted.device and shown.device in devices():
        yield words.change("These maps were made on", shown.device, wanted.device)
    before, now = (list(dict.fromkeys(one.seed for one in plan.questions)) for plan in (shown, wanted))
    if before != now:
        yield words.change("These maps were made with", _seeds(before), _seeds(now))
    modes = [{one.model.variant.mode for one in plan.questions if one.model.variant} for plan in (shown, wanted)]
    if modes[0] != modes[1]:
        yield words.weights
    if shown.model == wanted.model:
        models = [dict.fromkeys(title_of(one.model.name) for one in plan.questions) for plan in (shown, wanted)]
        yield from words.gone([name for name in models[0] if name not in models[1]])
        yield from words.missing("of", [name for name in models[1] if name not in models[0]])


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"


def _methods(shown: Plan, wanted: Plan, words: Wording) -> Iterator[str]:
    """Methods with other settings, those that are not chosen any more, and those without maps."""
    gone, to_come = (
        [(choice, title) for choice, title in zip(a.methods, a.titles(), strict=True) if choice not in b.methods]
        for a, b in ((shown, wanted), (wanted, shown))
    )
    for name in dict.fromkeys(choice.name for choice, _ in gone):
        before, now = ([pair for pair in pairs if pair[0].name == name] for pairs in (gone, to_come))
        if len(before) == len(now) == 1:
            yield _other_settings(before[0][0], now[0][0], words)
            gone.remove(before[0])
            to_come.remove(now[0])
    yield from words.gone([title for _, title in gone])
    yield from words.missing("by", [title for _, title in to_come])


def _other_settings(before: MethodChoice, now: MethodChoice, words: Wording) -> str:
    old, new = before.settings.to_mapping(), now.settings.to_mapping()
    parameters = [one for one in before.settings.parameters() if old[one.name] != new[one.name]]
    first = f"The maps by {text.plain(described(before.name).title)} were made with"
    made, chosen = (", ".join(one.in_words(values[one.name]) for one in parameters) for values in (old, new))
    return words.change(first, made, chosen)


def _metrics(shown: Plan, wanted: Plan, words: Wording) -> Iterator[str]:
    new = [one for one in wanted.metrics if one not in shown.metrics]
    if new:
        yield words.unmeasured.format(names=_listed(_titles(new)))


def _titles(metrics: Sequence[MetricChoice]) -> list[str]:
    return list(dict.fromkeys(get_metric(one.name).title for one in metrics))
