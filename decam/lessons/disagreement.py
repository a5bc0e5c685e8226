"""The lesson on what to do where methods disagree."""

from decam.lessons import facts
from decam.lessons.base import Choose, Curves, Lesson, Question, Reveal, Shown, Text

RUN = "cross"
METHODS = ("de-cam", "grad-cam", "integrated-gradients", "lime")


def _map(method: str) -> Shown:
    return Shown(run=RUN, method=method, look="overlay", caption=f"{{{method.replace('-', '_')}}}")


LESSON = Lesson(
    name="disagreement",
    title="Methods disagree: now what?",
    aim="You know why methods differ, and what to do before you believe one.",
    minutes=8,
    steps=(
        Text(
            title="One image, four methods",
            text="""\
            The [[model]] says **{label}**, {sure}. We ask {count} methods where it looks.

            Each goes back to a published paper.""",
            note="Let the class guess how alike the maps will be.",
            pictures=(Shown(run=RUN),),
        ),
        Choose(
            title="Your guess: how alike?",
            text="""\
            We compare every two maps by the order of their pixels. One means the same order, zero no connection.
            How alike are they?""",
            note="Most expect high values: same model, same image, same class.",
            key="alike",
            options=("Nearly the same", "Some alike, some hardly", "All unrelated"),
            right=1,
        ),
        Reveal(
            title="Some alike, some hardly",
            text="""\
            The two most alike, {closest}, have {closest_value}. The two least alike, {farthest}, have
            {farthest_value}.

            {integrated_gradients} and {lime} give [[signed maps|signed map]]: {high} speaks for the class, {low}
            against it.""",
            note="The second number is not far from what unrelated maps have. Let that sink in.",
            of="alike",
            pictures=tuple(map(_map, METHODS)),
        ),
        Text(
            title="They answer different questions",
            text="""\
            - {de_cam} asks: which regions keep the answer when shown alone, and change it when hidden?
            - {grad_cam} asks: where does the last layer find what speaks for the [[class]]?
            - {integrated_gradients} asks: how much does each pixel add on the way from a flat colour to the image?
            - {lime} asks: which patches would a simple model use?

            So they may differ without one of them being wrong.""",
            note="Let groups take one method each, and say in their own words what its map means.",
        ),
        Choose(
            title="Your guess: let a test decide",
            text="""\
            We show the [[pixels|pixel]] that a map ranks first, on a flat image, and measure how fast the answer
            comes:
            [[insertion]]. Which map does worst?""",
            note="They know from the lesson on deletion that a test has a taste of its own.",
            key="worst",
            options=("{de_cam}", "{grad_cam}", "{integrated_gradients}", "{lime}"),
            right=2,
            pictures=tuple(map(_map, METHODS)),
        ),
        Curves(
            title="A test, with one fill",
            text="On a flat image {worst_flat} does worst, with {ig_flat}. The best has {best_flat}.",
            note="Now announce that you will change nothing but what lies where no pixel is shown.",
            run=RUN,
            metric="insertion",
            fill="mean",
            methods=METHODS,
        ),
        Curves(
            title="The same test, with another fill",
            text="""\
            On a blurred image the same map has {ig_blur}, beside {best_blur} for the best. The [[fill]] decided.

            So a test has to be repeated in several ways. Believe what holds in all of them.""",
            note="The lesson: no single number ranks methods.",
            run=RUN,
            metric="insertion",
            fill="blur",
            methods=METHODS,
        ),
        Text(
            title="Now what?",
            text="""\
            - Say which question you ask, and choose a method that answers it.
            - Show several maps, and what they have in common.
            - Set a [[control]] beside them, and run the [[randomisation check]].
            - Change the image by hand where they differ, and ask the model. It has the last word.""",
            note="Close with Compare: let the class choose an image and see all methods on it.",
        ),
        Question(
            title="Question",
            text="Two methods disagree about a part of an image. What settles it?",
            note="The majority is the tempting one: methods of one family share their faults.",
            options=(
                "The method with more citations",
                "The majority of a dozen methods",
                "Hide that part, and see whether the model's answer changes",
            ),
            right=2,
            why="Methods can share a flaw. An experiment on the model itself does not depend on any of them.",
        ),
    ),
    facts={
        "label": facts.label(RUN),
        "sure": facts.probability(RUN),
        "count": lambda: str(len(METHODS)),
        **{name.replace("-", "_"): facts.title(RUN, name) for name in METHODS},
        "closest": facts.pair(RUN, METHODS, closest=True),
        "closest_value": facts.pair_value(RUN, METHODS, closest=True),
        "farthest": facts.pair(RUN, METHODS, closest=False),
        "farthest_value": facts.pair_value(RUN, METHODS, closest=False),
        "low": facts.colour(high=False, signed=True),
        "high": facts.colour(high=True, signed=True),
        "worst_flat": facts.best(RUN, "insertion", "mean", METHODS, worst=True),
        "ig_flat": facts.measured(RUN, "integrated-gradients", "insertion", "mean"),
        "best_flat": facts.best_value(RUN, "insertion", "mean", METHODS),
        "ig_blur": facts.measured(RUN, "integrated-gradients", "insertion", "blur"),
        "best_blur": facts.best_value(RUN, "insertion", "blur", METHODS),
    },
)
