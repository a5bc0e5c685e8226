"""The lesson on how evolution searches."""

from decam.evolution.differential_evolution import EvolutionSettings
from decam.evolution.problems import LANDSCAPES
from decam.lessons import facts
from decam.lessons.base import Choose, Lesson, Question, Reveal, Search, Shown, Text, Walk

RUN = "star"
LAND = "rastrigin"
POPULATION, GENERATIONS = 20, 60
SETTINGS = EvolutionSettings(
    budget=POPULATION * GENERATIONS,
    population=POPULATION,
    strategy="rand/1",
    control="fixed",
    weight=0.5,
    rate=0.9,
    absolute_tolerance=1e-9,
)

LESSON = Lesson(
    name="evolution",
    title="How evolution searches",
    aim=(
        "You can say how a population finds a low place without a map of the land, and what that has to do with images."
    ),
    minutes=9,
    steps=(
        Text(
            title="A search without a map",
            text="""\
            Imagine hikers in fog. Each knows the height at her own place and nothing else. They want the lowest valley.

            [[Differential Evolution|differential evolution]] lets them help each other:

            - A new place is tried for each hiker: that of another, plus a part of the difference between two more.
            - If the new place is lower, she moves there. If not, she stays.""",
            note="Act it out with three pupils on the floor. The difference of two of them is an arrow for the third.",
        ),
        Choose(
            title="Your guess: many valleys",
            text="The [[landscape]] {land} has many valleys, and only one is the lowest. {hikers} hikers start all "
            "over it. "
            "Where do they end?",
            note="Ask for reasons. Those who know gradient descent will expect the hikers to be stuck.",
            key="end",
            options=("Each in the valley nearest to her", "Nearly all in the lowest valley", "Still all over the land"),
            right=1,
        ),
        Walk(
            title="Watch them walk",
            text="Press play. Dark is low, and the cross is the lowest place. Choose a hiker to see how she was bred.",
            note=(
                "Stop after a few generations: the steps are as long as the hikers are apart, so they shrink by "
                "themselves."
            ),
            landscape=LAND,
            settings=SETTINGS,
        ),
        Reveal(
            title="They end together",
            text="""\
            In the first [[generation]] the best hiker stood {first} above the lowest place, in the last {last}.

            Nobody told them the slope. A [[population]], differences and one rule were enough.""",
            note=(
                "The rule never accepts a worse place. Still the hikers leave bad valleys: a difference can jump over "
                "a hill."
            ),
            of="end",
        ),
        Text(
            title="From hikers to images",
            text="""\
            DE-CAM searches in the same manner. A hiker is now a coarse [[saliency map]], one number for each square.

            The height is the [[fitness]], and more is better. It asks: if only the top of this map is kept, does the
            model
            still say {label}? And if the top is removed, does it stop?""",
            note=(
                "The landscape now has as many dimensions as the map has squares. Nobody can draw it, but the rule is "
                "the same."
            ),
            pictures=(Shown(run=RUN, caption="The image: {label}, {sure}"),),
        ),
        Search(
            title="Watch maps evolve",
            text=(
                "Press play. Choose a map of the population to see how its trial was bred. Below is what the model "
                "was asked about the fittest."
            ),
            note="The first generation is already good: DE-CAM starts from what random masks have told it.",
            run=RUN,
            question=0,
            method="de-cam",
        ),
        Text(
            title="What came of it",
            text="""\
            Over {generations} generations the best fitness began at {begin}, was {highest} at most, and ended at {end}.

            It may fall, for it is an estimate. With each answer the search learns more, and it estimates the fitness
            of all maps anew.

            The search asked the model {cost} times in all.""",
            note="Compare with the hikers: they know their height exactly, so the best height never gets worse.",
            pictures=(Shown(run=RUN, method="de-cam", look="overlay", caption="The map that was found"),),
        ),
        Question(
            title="Question",
            text="Why do the hikers' steps become shorter towards the end?",
            note="Go back to the landscape if the answer is not clear, and let the class look at the arrows.",
            options=(
                "A timer makes them shorter",
                "They are differences of hikers, who stand closer and closer",
                "The land becomes flatter everywhere",
            ),
            right=1,
            why="A step is made from the distance of two others. As the population comes together, the steps shrink.",
        ),
    ),
    facts={
        "label": facts.label(RUN),
        "sure": facts.probability(RUN),
        "land": lambda: LANDSCAPES[LAND].title,
        "hikers": lambda: str(POPULATION),
        "first": facts.walked(LAND, SETTINGS, 0, last=False),
        "last": facts.walked(LAND, SETTINGS, 0, last=True),
        "generations": facts.generations(RUN, "de-cam"),
        "begin": facts.fitness(RUN, "de-cam", at="first"),
        "highest": facts.fitness(RUN, "de-cam", at="highest"),
        "end": facts.fitness(RUN, "de-cam", at="last"),
        "cost": facts.evaluations(RUN, "de-cam"),
    },
)
