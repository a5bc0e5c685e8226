"""The lesson in which a real map is told from maps that know nothing."""

from decam.lessons import facts
from decam.lessons.base import Choose, Lesson, Question, Reveal, Shown, Text

RUN = "star"


def _map(method: str, caption: str) -> Shown:
    return Shown(run=RUN, method=method, look="overlay", caption=caption)


LESSON = Lesson(
    name="real-map",
    title="Which map is real?",
    aim="You know why a map that looks right need not be right, and what a control is for.",
    minutes=6,
    steps=(
        Text(
            title="Maps that know nothing",
            text="""\
            The [[model]] sees a **{label}** here. Four [[saliency maps|saliency map]] of this image follow.

            Not all of them come from the model. A map that was made without it is a [[control]].""",
            note="Do not say how many are real. The class should argue.",
            pictures=(Shown(run=RUN),),
        ),
        Choose(
            title="Your guess: one of these asked the model",
            text="Three of these maps know nothing of the model. Which one is real?",
            note="Many choose the outline: it looks sharp and clever. Ask what exactly they find convincing in it.",
            key="one",
            options=("Map A", "Map B", "Map C", "Map D"),
            right=2,
            pictures=(
                _map("edges", "Map A"),
                _map("centre", "Map B"),
                _map("grad-cam", "Map C"),
                _map("random", "Map D"),
            ),
        ),
        Reveal(
            title="The real one",
            text="""\
            Map C is by {real}. A draws the edges of the image, B is a spot in the middle, D is noise.

            A is sharp, and B lies on the star. Neither has anything to do with what the model has learned.""",
            note=(
                "Sharp is not right. We like maps that look as we would have drawn them: the psychologists' word is "
                "bias."
            ),
            of="one",
            pictures=(
                _map("edges", "A: the edges of the image"),
                _map("centre", "B: a spot in the middle"),
                _map("grad-cam", "C: {real}"),
                _map("random", "D: noise"),
            ),
        ),
        Choose(
            title="Your guess: can a number tell?",
            text="""\
            Take as many of a map's top [[pixels|pixel]] as the star has. How many of them lie on the star?

            Noise scores {noise}, the edges {edges}. What does the spot in the middle score?""",
            note=(
                "The star covers {size} of the image, and over many images noise scores about what objects cover. A "
                "spot in the middle scores more even then, for objects lie near the middle."
            ),
            key="spot",
            options=("About as little as noise", "About half", "Nearly all"),
            right=1,
            pictures=(_map("centre", "A spot in the middle"),),
        ),
        Reveal(
            title="A number can be lucky",
            text="""\
            The spot scores {centre}, {real} {gradcam}. The spot is lucky, for the star is near the middle.

            The test that luck cannot pass needs many images, with the object in all sorts of places. Or it changes
            the model and looks whether the map changes too.""",
            note="The second idea is the next lesson: A map that ignores the model.",
            of="spot",
        ),
        Question(
            title="Question",
            text="Why does one put random maps into a comparison of methods?",
            note="Ask for other fields that do the same: placebos in medicine, blank samples in chemistry.",
            options=(
                "To see what a score is worth that nobody earned",
                "To make the other methods look better",
                "Because random maps are sometimes right",
            ),
            right=0,
            why="A control shows the score of knowing nothing. A method must beat it before its score means anything.",
        ),
    ),
    facts={
        "label": facts.label(RUN),
        "real": facts.title(RUN, "grad-cam"),
        "noise": facts.inside(RUN, "random"),
        "edges": facts.inside(RUN, "edges"),
        "centre": facts.inside(RUN, "centre"),
        "gradcam": facts.inside(RUN, "grad-cam"),
        "size": facts.size(RUN),
    },
)
