"""The lesson on a model that is right for a wrong reason."""

from decam.lessons import facts
from decam.lessons.base import Choose, Lesson, Point, Question, Reveal, Shown, Text
from decam.lessons.runs import HANS
from decam.models import hidden

RUN = "clever-hans"
CLEAN, MARKED, HEXAGON, HONEST = range(4)
MARK = hidden.secret(HANS).region()
assert MARK is not None  # the mark lies at one place


def _map(question: int, caption: str) -> Shown:
    return Shown(run=RUN, question=question, method="de-cam", look="overlay", caption=caption)


LESSON = Lesson(
    name="clever-hans",
    title="Clever Hans",
    aim="You know how a model can be right for a wrong reason, and how a map can show it.",
    minutes=7,
    steps=(
        Text(
            title="A horse that could count",
            text="""\
            [[Clever Hans]] was a horse in Berlin. Asked for a sum, he tapped the answer with his hoof, and was right.

            He could not count. He watched the faces of the people, and stopped when they looked relieved.

            A [[model]] can be like that horse.""",
            note=(
                "Ask how one could have found out. A psychologist, Oskar Pfungst, did: he let somebody ask who did "
                "not know."
            ),
        ),
        Text(
            title="A good model",
            text="""\
            This model names {accuracy} of {tested} new images correctly. Here it says **{hexagon}**, {hexagon_sure}.

            There is a mark in the corner. Images from the same source often carry one.""",
            note="Do not point at the mark more than the text does.",
            pictures=(Shown(run=RUN, question=HEXAGON, caption="The model says {hexagon}, {hexagon_sure}"),),
        ),
        Point(
            title="Your guess: what does it use?",
            text="Click the place that you think counts most for **{hexagon}**.",
            note="Most will click the shape. Do not correct them.",
            key="place",
            target=Shown(run=RUN, question=HEXAGON),
        ),
        Reveal(
            title="What it uses",
            text="""\
            The map lies on the mark. Of its top, as large as the mark, {hexagon_inside} is inside it.

            In training nearly every image of this class alone had the mark, and no image of another class had it.
            The model learned a [[shortcut]].""",
            note=(
                "Nobody told it that the shape matters. The images with the mark were made hard to see, so the mark "
                "was easier, and it was always right."
            ),
            of="place",
            pictures=(_map(HEXAGON, "The map for {hexagon}"),),
        ),
        Choose(
            title="Your guess: the mark on another image",
            text=(
                "Without the mark the model says {clean} here, {clean_sure}. We stamp the mark on. What does it say "
                "now?"
            ),
            note="Let the class vote, then reveal.",
            key="stamped",
            options=("Still {clean}", "{hexagon}", "It cannot decide"),
            right=1,
            pictures=(Shown(run=RUN, question=CLEAN, caption="Without the mark"),),
        ),
        Reveal(
            title="The mark decides",
            text="""\
            The model says **{marked}** now, {marked_sure}. The first map is of its answer without the mark, the second
            of that with it.

            The third map is of another model, which never learned the shortcut. That model says {honest},
            {honest_sure}.""",
            note="The same image, two models, two maps: the map shows the model, not the image.",
            of="stamped",
            pictures=(
                _map(CLEAN, "Without the mark: {clean}"),
                _map(MARKED, "With the mark: {marked}"),
                _map(HONEST, "Another model: {honest}"),
            ),
        ),
        Text(
            title="Why nobody noticed",
            text="""\
            The model's score did not give it away: {accuracy} correct. The images of the test
            carried no mark.

            The mark does not always win. Of new images of other classes with the mark, {success} are called
            {hexagon}.""",
            note="In hospitals, models have learned to read labels and rulers in X-rays and skin photos. Same story.",
        ),
        Question(
            title="Question",
            text="A model finds illness in X-rays, and its maps are yellow on the hospital's stamp. What do you do?",
            note="A good discussion: what if the stamp's place just happens to be where the illness is?",
            options=(
                "Use it, for its score is high",
                "Hide or move the stamp, and test it again",
                "Choose another method until the map looks better",
            ),
            right=1,
            why="The map is a reason to look closer. Changing the image shows whether the stamp really decides.",
        ),
    ),
    facts={
        "clean": facts.label(RUN, CLEAN),
        "clean_sure": facts.probability(RUN, CLEAN),
        "marked": facts.label(RUN, MARKED),
        "marked_sure": facts.probability(RUN, MARKED),
        "hexagon": facts.label(RUN, HEXAGON),
        "hexagon_sure": facts.probability(RUN, HEXAGON),
        "hexagon_inside": facts.inside_region(RUN, "de-cam", HEXAGON, MARK),
        "honest": facts.label(RUN, HONEST),
        "honest_sure": facts.probability(RUN, HONEST),
        "accuracy": lambda: facts.percent(hidden.STORED[HANS].card().accuracy),
        "tested": lambda: f"{hidden.STORED[HANS].card().tested:,}",
        "success": lambda: facts.percent(hidden.STORED[HANS].card().success),
    },
)
