"""The terms of the field, a sentence or two each: on hover in lessons, as a list, and as a page of the documents."""

from __future__ import annotations

TERMS: dict[str, str] = {
    "Activation map": (
        "The output of one channel of a convolutional layer, a coarse image of where a feature was found."
    ),
    "Agreement": (
        "How alike the maps of different methods are. Methods can share a flaw, so agreement is not correctness."
    ),
    "Attribution": "The number that a method gives to a pixel or region: its contribution to the score.",
    "Backdoor": (
        "A trigger that an attacker trained into a model: wherever the model sees it, it answers the attacker's class."
    ),
    "Baseline": 'The image that stands for "nothing" in Integrated Gradients, DeepLIFT and their kin.',
    "Black box": "A model of which only the answers are known. Methods that need no more explain any model.",
    "Budget": "The evaluations that a method may spend on one map.",
    "Cell": "One question and one method: a place in the grid of a run. Also one square of DE-CAM's coarse map.",
    "Class": "One of the answers that a model can give, such as “star”.",
    "Class activation map (CAM)": "A map made from a layer's activation maps, each with a weight for the class.",
    "Class map": "What must be added to any image at all for a model to see a class. It belongs to no image.",
    "Clever Hans": (
        "A model that is right for a wrong reason, named after a horse that seemed to count. It read the answer in "
        "faces."
    ),
    "Control": (
        "A map that knows nothing of what the model has learned: random, centre, edges, untrained. What others "
        "must beat."
    ),
    "Crossover rate (CR)": "The probability with which a trial vector takes a component from its mutant.",
    "Curve": (
        "What a metric saw on the way to its value, such as the target's probability over the share of pixels hidden."
    ),
    "Deletion": (
        "The area under the target's probability while the most salient pixels are hidden first. Lower is better."
    ),
    "Differential Evolution (DE)": (
        "An optimiser that breeds trial vectors from differences of the population's vectors."
    ),
    "Differential weight (F)": "How far a mutant goes along a difference vector.",
    "Diversity": "The mean distance of a population's vectors from their mean.",
    "Evaluation": "One image through the model: the unit in which methods and metrics are charged.",
    "Explanation": "A finished map with the class, settings, seed and cost that belong to it.",
    "Faithfulness": "How well a map shows what the model uses.",
    "Fidelity": "The mean probability of a class over fresh samples that carry the class's map.",
    "Fill": "What replaces a hidden pixel: blur, box-blur, mean, black or noise. Rankings of methods change with it.",
    "Fitness": (
        "The value that a search maximises. In DE-CAM: probability with the top of a ranking kept, minus that with "
        "it removed."
    ),
    "Generation": "One round of a search: trial vectors are bred, evaluated and selected.",
    "Gradient": "How much an answer changes when a pixel changes a little.",
    "Ground truth": "A mask of where the object is. Localisation metrics compare maps with it.",
    "Guided filter": "Fits a map to an image's edges: the map changes where the colours change.",
    "Insertion": (
        "The area under the target's probability while the most salient pixels are shown first. Higher is better."
    ),
    "Kind of plan": (
        "A comparison, a check with random weights, class maps, a search for backdoors, or a part of a benchmark: "
        "which questions are asked and how the answers are read."
    ),
    "Landscape": (
        "A function of two variables drawn as a relief, so that a search for its lowest place can be watched."
    ),
    "Localisation": "How well a map lies on the object.",
    "Log odds": (
        "log(p / (1 − p)) of a probability p. What masks change adds up in log odds better than in probabilities."
    ),
    "Logit": "A model's score for a class before the softmax.",
    "Metric": "A way to measure maps: a number for each map, with a direction.",
    "Model": "A function, learned from examples, that gives each class a probability for an image.",
    "Mutant": "A vector made from an individual and differences of others, before crossover.",
    "Normalisation": "What a model does to colours before its first layer: subtract a mean, divide by a deviation.",
    "Pixel": "One dot of an image.",
    "Plan": "All that a run is made from: images, questions, methods, metrics, seeds, versions.",
    "Population": "The vectors that a search keeps from one generation to the next.",
    "Prediction": "The class to which a model gives the highest probability.",
    "Probability": "How sure a model says it is of a class: 0 to 100 %, over all classes 100 % together.",
    "Prototype": "A patch of a training image that a prototype network compares places of an image with.",
    "Question": "Why does this model give this image this class? A plan asks it of each method.",
    "Randomisation check": (
        "Weights are replaced by random ones; a map that does not change never reflected them. The page is called "
        "Sanity."
    ),
    "Robustness": "How much a map stays when nothing that matters has changed.",
    "Run": "A plan that is computed, or was, with its link.",
    "Saliency map": "A number for each pixel that says how much it counts for a class.",
    "Scene": "A generated image of drawn shapes whose objects are known to the pixel.",
    "Screening": (
        "Breeding several trial vectors for each place and evaluating only the one that the surrogate prefers."
    ),
    "Seed": "Where random numbers begin. The same seed gives the same map.",
    "Shortcut": "A mark that went with a class in training, and that a model learned in place of the class.",
    "Signed map": "A map with values for the class and against it.",
    "Silent map": "A map whose model moved by no more than rounding. It shows no evidence and is drawn flat.",
    "Superpixel": "A region of neighbouring pixels of similar colour.",
    "Surrogate": (
        "A simple model fitted to the answers of the real one: a linear one in LIME, a Gaussian process in DE-CAM."
    ),
    "Target": "The class that is asked about; the predicted class unless another is chosen.",
    "Trial vector": (
        "A candidate bred from an individual and its mutant. It replaces the individual if it is at least as fit."
    ),
    "View": "An image as the model sees it: resized, cropped, 8 bits a colour.",
    "White box": "A model whose gradients or activations are known. Gradient and class activation methods need one.",
}
"""Terms in alphabetical order, with what each means as plain text."""

_BY_NAME = {term.partition(" (")[0].lower(): term for term in TERMS}


def term(name: str) -> str | None:
    """The term of the table that a text calls `name`, in any case, also in the plural; None where there is none."""
    wanted = name.lower()
    for form in (wanted, wanted.removesuffix("s"), wanted.removesuffix("es"), wanted.removesuffix("ies") + "y"):
        if form in _BY_NAME:
            return _BY_NAME[form]
    return None
