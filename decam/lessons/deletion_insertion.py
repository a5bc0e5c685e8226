"""The lesson on deletion and insertion, and how they deceive."""

from decam.lessons import facts
from decam.lessons.base import Choose, Curves, Lesson, Question, Reveal, Shown, Text

RUN = "star"
METHODS = ("de-cam", "grad-cam", "rise", "integrated-gradients")

LESSON = Lesson(
    name="deletion-insertion",
    title="Deletion and insertion, and how they deceive",
    aim="You can read the two curves that most papers report, and you know two ways in which they mislead.",
    minutes=9,
    steps=(
        Text(
            title="Two tests in one image",
            text="""\
            [[Deletion]] hides the [[pixels|pixel]] that a map ranks first, then more and more, and watches the answer.
            If it falls at once, the map found what counts. A small area under the curve is good.

            [[Insertion]] starts from nothing and shows these pixels first. A large area is good.""",
            note="Draw both curves on the board before you show them: which one should fall, which one should rise?",
            pictures=(
                Shown(run=RUN, method="de-cam", look="top hidden", share=0.1, caption="Deletion, a part of the way"),
                Shown(run=RUN, method="de-cam", look="top kept", share=0.1, caption="Insertion, a part of the way"),
            ),
        ),
        Choose(
            title="Your guess: which line is noise?",
            text="The random map is made without a look at image or model. How does its deletion curve run?",
            note="Let one pupil draw the curve in the air.",
            key="noise",
            options=("It falls at once", "It falls late and slowly", "It never falls"),
            right=1,
        ),
        Curves(
            title="Deletion",
            text="""\
            The random map has {noise} under its curve, DE-CAM {decam}.

            The number behind each name is the area.""",
            note="The model is robust against scattered holes: it takes many of them before the star is gone.",
            run=RUN,
            metric="deletion",
            fill="mean",
            methods=("de-cam", "grad-cam", "centre", "random"),
        ),
        Choose(
            title="Your guess: a map that never asked",
            text="""\
            The centre map is a round spot in the middle of the image, the same one for every image.
            It knows nothing of the [[model]]. How does it do beside RISE, which asked the model {rise_cost} times?""",
            note="This is a [[control]]: a map that knows nothing. Whoever claims to explain must beat it.",
            key="centre",
            options=("Far worse", "A little worse", "About as well, or better"),
            right=2,
            pictures=(
                Shown(run=RUN, method="centre", look="overlay", caption="Centre: never asked"),
                Shown(run=RUN, method="rise", look="overlay", caption="RISE: asked {rise_cost} times"),
            ),
        ),
        Reveal(
            title="First deception: the object is in the middle",
            text="""\
            Deletion gives the centre map {centre} and RISE {rise}. Lower is better.

            The object of this image is near the middle, as in many photos that people take. A number alone says
            little.
            Set it beside that of a control.""",
            note="Ask how to make a fairer test: images whose object is at the edge, and many of them.",
            of="centre",
        ),
        Choose(
            title="Your guess: does the winner stay?",
            text="""\
            By deletion, {deletion_best} is the best of {count} methods, with {deletion_value}.
            Will it be the best by insertion too?""",
            note="Show the map again. It is fine dust, not a region.",
            key="winner",
            options=("Yes, a good map is good by both", "No, another method wins", "No, it comes last"),
            right=2,
            pictures=(
                Shown(run=RUN, method="integrated-gradients", look="overlay", caption="The winner by deletion"),
                Shown(run=RUN, method="de-cam", look="overlay", caption="DE-CAM"),
            ),
        ),
        Curves(
            title="Second deception: first by one, last by the other",
            text="""\
            By insertion {insertion_worst} comes last, with {insertion_value}. The edges of the image, a control, get
            {edges}: higher is better, so even they win.

            Removing fine dust breaks an image at once. Showing fine dust builds one only slowly.""",
            note=(
                "The dust hits single pixels to which the model is sensitive. Follow its line: it rises, falls, and "
                "rises late."
            ),
            run=RUN,
            metric="insertion",
            fill="blur",
            methods=(*METHODS, "edges"),
        ),
        Question(
            title="Question",
            text="A paper reports the best deletion score for its method, and nothing else. What do you ask first?",
            note="All three are worth asking. Only the second tells whether the score means anything.",
            options=(
                "How fast is the method?",
                "What do controls score, and what does insertion say?",
                "Which colours does the map have?",
            ),
            right=1,
            why="A score means something beside a map that knows nothing, and if another test agrees.",
        ),
    ),
    facts={
        "count": lambda: str(len(METHODS)),
        "noise": facts.measured(RUN, "random", "deletion", "mean"),
        "decam": facts.measured(RUN, "de-cam", "deletion", "mean"),
        "rise_cost": facts.evaluations(RUN, "rise"),
        "centre": facts.measured(RUN, "centre", "deletion", "mean", digits=3),
        "rise": facts.measured(RUN, "rise", "deletion", "mean", digits=3),
        "deletion_best": facts.best(RUN, "deletion", "mean", METHODS),
        "deletion_value": facts.measured(RUN, "integrated-gradients", "deletion", "mean"),
        "insertion_worst": facts.best(RUN, "insertion", "blur", METHODS, worst=True),
        "insertion_value": facts.measured(RUN, "integrated-gradients", "insertion", "blur"),
        "edges": facts.measured(RUN, "edges", "insertion", "blur"),
    },
)
