"""The lesson on maps that ignore the model."""

from decam.lessons import facts
from decam.lessons.base import Choose, Lesson, LookName, Question, Reveal, Shown, Text

RUN = "forgetting"
BEFORE, HEAD, HALF, ALL = range(4)


def _maps(question: int, look: LookName = "overlay") -> tuple[Shown, ...]:
    return tuple(
        Shown(run=RUN, question=question, method=method, look=look, caption=f"Map {letter}")
        for letter, method in zip("ABC", ("grad-cam", "guided-backprop", "edges"), strict=True)
    )


LESSON = Lesson(
    name="sanity",
    title="A map that ignores the model",
    aim="You can test whether a map depends on what the model has learned.",
    minutes=7,
    steps=(
        Text(
            title="Three maps, one model",
            text="""\
            The [[model]] is {sure} sure of a **{label}**. Three methods show where it looks.

            One sees the {label} in all three. Which of them has to do with what the model has learned?""",
            note="Let the class vote for the most convincing map, and write the votes down.",
            pictures=_maps(BEFORE),
        ),
        Choose(
            title="Your guess: the model forgets",
            text="""\
            Now we replace the last layer by random numbers. The model has forgotten how
            to name what it sees:
            the {label} gets {head} now.

            We make all maps again. Which of them should change?""",
            note="The word is should. What a map ought to do follows from what it claims to show.",
            key="forget",
            options=("All of them, for the model has changed", "None, for the image has not", "Only the blurred one"),
            right=0,
        ),
        Reveal(
            title="Which did change",
            text="""\
            The [[rank correlation|agreement]] with the map before is **{a_head}** for A, **{b_head}** for B and
            **{c_head}** for C, where one means the same map.

            All should have changed. Only A changed much.""",
            note=(
                "Have the class look from one to the other: B looks the same although the model cannot name shapes now."
            ),
            of="forget",
            pictures=_maps(HEAD),
        ),
        Choose(
            title="Your guess: the model forgets more",
            text=(
                "Now {half_share} of all weights are random, from the answer backwards. Does B, the detailed one, "
                "still look as before?"
            ),
            note="Somebody will say that it must be broken by now.",
            key="half",
            options=("No, it is noise now", "Largely, yes"),
            right=1,
        ),
        Reveal(
            title="More forgotten",
            text="""\
            B still has {b_half} with the map before, A {a_half}, and C {c_half}.

            C draws the edges of the image. It never asks the model, so it cannot change. B is {b}, and it behaves
            nearly like C.""",
            note="This is the finding of Adebayo and others, Sanity Checks for Saliency Maps.",
            of="half",
            pictures=_maps(HALF),
        ),
        Text(
            title="All forgotten",
            text="""\
            With every layer random, B is lost too, with {b_all}, as A is, with {a_all}. C stays, with {c_all}.

            A map that stays as the model forgets never showed what the model had learned.""",
            note="The test is one-sided. A map that changes may still be wrong; noise changes too.",
            pictures=_maps(ALL),
        ),
        Question(
            title="Question",
            text="A method passes this test: its map changes as the model forgets. What do you know now?",
            note="The first option is the common mistake.",
            options=(
                "The map is right",
                "The map depends on the weights, and may still be wrong",
                "The map is noise",
            ),
            right=1,
            why="The test finds maps that ignore the model. It cannot say that a map is right.",
        ),
    ),
    facts={
        "label": facts.label(RUN),
        "sure": facts.probability(RUN, BEFORE),
        "half_share": facts.forgotten(RUN, HALF),
        "head": facts.probability(RUN, HEAD),
        "b": facts.title(RUN, "guided-backprop"),
        **{
            f"{letter}_{name}": facts.alike(RUN, (BEFORE, method), (question, method))
            for letter, method in (("a", "grad-cam"), ("b", "guided-backprop"), ("c", "edges"))
            for name, question in (("head", HEAD), ("half", HALF), ("all", ALL))
        },
    },
)
