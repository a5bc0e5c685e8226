"""The lesson in which one covers a picture by hand."""

from decam.lessons import facts
from decam.lessons.base import Cover, Estimate, Lesson, Question, Reveal, Shown, Text

RUN = "star"
SHARE = 0.1
SMALL = 0.04

LESSON = Lesson(
    name="covering",
    title="Covering by hand",
    aim="You can search for what a model needs with nothing but questions to it, and you know what that costs.",
    minutes=8,
    steps=(
        Text(
            title="Only questions",
            text="""\
            Suppose we may not look inside the [[model]]. We may only show it images and read its answers.

            That is a [[black box]]. One image through the model is one [[evaluation]].

            We can still learn what it needs: cover a part, ask again, and see whether the answer changes.""",
            note="Compare with a doctor who presses here and there and asks: does this hurt?",
            pictures=(Shown(run=RUN, caption="The model says {label}, {sure}"),),
        ),
        Estimate(
            title="Your guess: how much must go?",
            text=(
                "Imagine covering the image bit by bit, what counts most first. After how much is the answer no "
                "longer {label}?"
            ),
            note=(
                "Let everybody write a number down. The object covers {size} of the image; keep that for the next step."
            ),
            key="needed",
            asks="Part of the image that must be covered",
            answer="needed",
            pictures=(Shown(run=RUN),),
        ),
        Cover(
            title="You against DE-CAM",
            text="""\
            Paint over the image, and make the model forget the {label}. Cover as little as you can.

            DE-CAM covers as much as you do, in the order of its own map.""",
            note="Two pupils can play against each other: who gets the model under one half with the smaller cover?",
            run=RUN,
            question=0,
            method="de-cam",
            fill="mean",
        ),
        Reveal(
            title="How little is enough",
            text="""\
            In the order of DE-CAM's map, the answer changes at {needed} of the image. At {small} it is still {label},
            with {early}. At {share}, {label} has {late}.

            Where the answer changes, {hit} of the {label} is covered, and some ground around it. A part was enough.""",
            note="Ask why a part is enough. The model never learned to need all five points.",
            of="needed",
            pictures=(
                Shown(run=RUN, method="de-cam", look="top hidden", share=SMALL, caption="{small} covered: {early}"),
                Shown(run=RUN, method="de-cam", look="top hidden", share=SHARE, caption="{share} covered: {late}"),
            ),
        ),
        Text(
            title="What it cost",
            text="""\
            You asked the model again and again while you painted. DE-CAM asked {cost} times, and has a number for
            every [[pixel]].

            What replaces a covered pixel is called the [[fill]]. Here it is one flat colour. A hole can be a clue too:
            many models have never seen an image with holes.""",
            note=(
                "This is the weak point of all methods that cover. The lesson on deletion and insertion goes on from "
                "it."
            ),
            pictures=(Shown(run=RUN, method="de-cam", look="overlay", caption="DE-CAM's map"),),
        ),
        Question(
            title="Question",
            text="You cover a dog's nose, and the model's answer changes from dog to cat. What have you shown?",
            note="Let them defend the last option. A flat grey patch may look like something of its own.",
            options=(
                "The model needs the nose to see a dog",
                "The model looks at nothing but the nose",
                "The nose matters, or the hole itself misleads the model",
            ),
            right=2,
            why="A hole is part of the new image. Other fills, such as a blur, tell the two apart.",
        ),
    ),
    facts={
        "label": facts.label(RUN),
        "sure": facts.probability(RUN),
        "size": facts.size(RUN),
        "needed": facts.changes(RUN, "de-cam", "mean"),
        "hit": facts.covered_where_it_changes(RUN, "de-cam", "mean"),
        "small": lambda: facts.percent(SMALL),
        "share": lambda: facts.percent(SHARE),
        "early": facts.after(RUN, "de-cam", "deletion", "mean", SMALL),
        "late": facts.after(RUN, "de-cam", "deletion", "mean", SHARE),
        "cost": facts.evaluations(RUN, "de-cam"),
    },
)
