"""The lesson on what a saliency map is."""

from decam.lessons import facts
from decam.lessons.base import Choose, Lesson, Point, Question, Reveal, Shown, Text
from decam.models.networks.blocks import LABELS

RUN = "star"
SHARE = 0.2
PICTURE = Shown(run=RUN, alt="Drawn shapes on a red ground, among them a large star")
MAP = Shown(run=RUN, method="de-cam", look="overlay", caption="The map over the image")
HIDDEN = Shown(run=RUN, method="de-cam", look="top hidden", share=SHARE, caption="Hidden: {label} gets {hidden}")
KEPT = Shown(run=RUN, method="de-cam", look="top kept", share=SHARE, caption="Kept alone: {label} gets {kept}")

LESSON = Lesson(
    name="saliency-map",
    title="What is a saliency map?",
    aim="You can say what the colours of a saliency map mean, and how to test whether they are right.",
    minutes=6,
    steps=(
        Text(
            title="An answer without a reason",
            text="""\
            A [[model]] has looked at this image. Its answer is **{label}**, with a [[probability]] of {sure}.

            The model knows {classes} drawn shapes. It says which one it sees. It does not say why.""",
            note="Let the class describe the image first. Then ask: how could we find out what the model looked at?",
            pictures=(PICTURE,),
        ),
        Point(
            title="Your guess: where does it look?",
            text="Click the place that you think counts most for the answer **{label}**.",
            note="Take three or four suggestions from the class, then agree on one place. There is no wrong click.",
            key="place",
            target=PICTURE,
        ),
        Reveal(
            title="Where it looks",
            text="""\
            This is a [[saliency map]]. It has one number for each [[pixel]]: how much the pixel counts for {label}.

            What is {high} counts most. What counts least is {low} in the map alone, and bare over the image.""",
            note="Point out what is not {high}: the letter and the other shapes. The model passes them over.",
            of="place",
            pictures=(MAP, Shown(run=RUN, method="de-cam", look="map", caption="The map alone")),
        ),
        Choose(
            title="Your guess: hide what counts most",
            text="We hide the part that the map ranks first, {share} of the image. What will the model say then?",
            note="Ask for hands before you go on. Most classes split, and that is what you want.",
            key="hidden",
            options=(
                "Still {label}, as sure as before",
                "Still {label}, but less sure",
                "It no longer answers {label}",
            ),
            right=2,
            pictures=(MAP,),
        ),
        Reveal(
            title="What the model says then",
            text="""\
            With that part hidden, {label} falls from {sure} to {hidden}. With that part alone, {label} gets {kept}.

            So we can test a map: hide what it ranks first, and ask the model again.""",
            note="This test is called deletion, and its opposite insertion. A later lesson shows how both can deceive.",
            of="hidden",
            pictures=(HIDDEN, KEPT),
        ),
        Question(
            title="Question",
            text="A saliency map of a photo is yellow on the grass, not on the cow. What follows?",
            note=(
                "The last option is the tempting one: a map can show a fault of the model. Clever Hans comes back to "
                "it."
            ),
            options=(
                "The method that made the map is broken",
                "If the map is right, the model uses the grass",
                "The model cannot recognise cows",
            ),
            right=1,
            why="A map shows what the model uses, not where the object is. The map can be right and the model odd.",
        ),
    ),
    facts={
        "label": facts.label(RUN),
        "sure": facts.probability(RUN),
        "classes": lambda: str(len(LABELS)),
        "share": lambda: facts.percent(SHARE),
        "low": facts.colour(high=False),
        "high": facts.colour(high=True),
        "hidden": facts.after(RUN, "de-cam", "deletion", "mean", SHARE),
        "kept": facts.after(RUN, "de-cam", "insertion", "mean", SHARE),
    },
)
