"""The lesson on why a model says one class and not another."""

from decam.images.samples import get
from decam.lessons import facts
from decam.lessons.base import Choose, Lesson, Point, Question, Reveal, Shown, Text

RUN = "heart-and-ring"
FIRST, SECOND = range(2)
RING = get("scene-heart-ring").truth("ring")
assert RING is not None  # the scene was drawn with a ring


def _map(question: int, method: str, caption: str) -> Shown:
    return Shown(run=RUN, question=question, method=method, look="overlay", caption=caption)


LESSON = Lesson(
    name="contrast",
    title="Why this class and not that?",
    aim="You know that a map belongs to a question, and that another question has another map.",
    minutes=6,
    steps=(
        Text(
            title="Two answers to one image",
            text="""\
            The [[model]] says **{first}** here, {first_sure}. It gives **{second}** {second_sure}.

            A [[saliency map]] is always for one [[class]]. So far this was the class that the model put first.""",
            note="Ask what the model should say: there are two objects. It must share out one hundred per cent.",
            pictures=(Shown(run=RUN),),
        ),
        Point(
            title="Your guess: where is the second answer?",
            text="Click the place that you think counts most for **{second}**, the answer that came second.",
            note="Easy here, and meant to be. The surprise comes later.",
            key="place",
            target=Shown(run=RUN),
        ),
        Reveal(
            title="Two questions, two maps",
            text="""\
            Same image, same model, same method. Only the question has changed.

            Take as many top pixels of each map as the {second} has. Of the map for {second}, {ring_inside} of them lie
            on the {second}. Of the map for {first}, {ring_outside} do.""",
            note="Always ask of a map: for which class? A map without its class says nothing.",
            of="place",
            pictures=(_map(SECOND, "de-cam", "For {second}"), _map(FIRST, "de-cam", "For {first}")),
        ),
        Choose(
            title="Your guess: how alike are the two maps?",
            text="""\
            We compare the order of the pixels in the two maps. One means the same order, zero no connection,
            minus one the reverse. What do you expect?""",
            note="Prompt: if the ring were hidden, what would happen to the probability of the heart?",
            key="order",
            options=("Near one", "Near zero", "Clearly below zero"),
            right=2,
        ),
        Reveal(
            title="One speaks against the other",
            text="""\
            It is {decam_alike}. What speaks for {second} speaks against {first}.

            [[Probabilities|probability]] share out one hundred per cent, so what helps one class takes from the
            others.""",
            note="In Compare the class asked about can be chosen. Let the class try two classes of one image.",
            of="order",
            pictures=(_map(FIRST, "de-cam", "For {first}"), _map(SECOND, "de-cam", "For {second}")),
        ),
        Text(
            title="This rather than that",
            text="""\
            One can also ask directly: why {first}, and not the classes most like it? {finer} answers that. It takes
            away most of what they have in common.

            Here that changes almost nothing: the order of its pixels and that of {gradcam} agree with
            {methods_alike}.""",
            note="It matters more for two breeds of dog. There ordinary maps of both look the same.",
            pictures=(
                _map(FIRST, "grad-cam", "{gradcam}: why {first}?"),
                _map(FIRST, "finer-cam", "{finer}: why no other class?"),
            ),
        ),
        Question(
            title="Question",
            text="A report shows one map and says: this is what the model sees. What is missing?",
            note="Also right: the method, its settings, the model. The class comes first.",
            options=("A legend of the colours", "The class that the map is for", "The size of the image"),
            right=1,
            why="A map answers a question about one class. Another class of the same image has another map.",
        ),
    ),
    facts={
        "first": facts.label(RUN, FIRST),
        "first_sure": facts.probability(RUN, FIRST),
        "second": facts.label(RUN, SECOND),
        "second_sure": facts.probability(RUN, SECOND),
        "ring_inside": facts.inside_region(RUN, "de-cam", SECOND, RING),
        "ring_outside": facts.inside_region(RUN, "de-cam", FIRST, RING),
        "decam_alike": facts.alike(RUN, (FIRST, "de-cam"), (SECOND, "de-cam")),
        "methods_alike": facts.alike(RUN, (FIRST, "grad-cam"), (FIRST, "finer-cam")),
        "finer": facts.title(RUN, "finer-cam"),
        "gradcam": facts.title(RUN, "grad-cam"),
    },
)
