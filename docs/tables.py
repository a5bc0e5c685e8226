"""Writes the pages of methods, metrics, terms, references and hidden models from tables: `python -m docs.tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from pathlib import Path
from textwrap import fill

from decam.api import explain
from decam.benchmark.text import table
from decam.classifier import Classifier
from decam.lessons.glossary import TERMS
from decam.methods import CLASS_METHODS, METHODS, AnyMethod, ClassMethod
from decam.methods.taxonomy import grouped as methods_by_family
from decam.metrics import METRICS, Metric
from decam.metrics.similarity import SIMILARITIES, Similarity
from decam.metrics.taxonomy import grouped as metrics_by_family
from decam.models import hidden, load_classifier
from decam.models.networks.blocks import LABELS
from decam.models.sources import bundled
from decam.numerals import bounds
from decam.settings import Parameter, Settings

FOLDER = Path(__file__).parent
NOTICE = "<!-- Written by `python -m docs.tables` from the tables: change the rows, not this page. -->"
MODELS = bundled.SOURCE.offered
ALL_METHODS: tuple[AnyMethod, ...] = (*METHODS.values(), *CLASS_METHODS.values())

SOURCES = """\
## The three sources

- **DE-CAM**: Karatsiolis and Kamilaris, *A model-agnostic approach for generating Saliency Maps to explain inferred
  decisions of Deep Learning Models*, [arXiv 2209.08906](https://arxiv.org/abs/2209.08906), VISAPP 2023
  ([doi 10.5220/0011612400003417](https://doi.org/10.5220/0011612400003417)). [DE-CAM](method/de-cam.md) says what is
  theirs and what is this project's own.
- **Differential Evolution**: Storn and Price, *Differential Evolution: A Simple and Efficient Heuristic for Global
  Optimization over Continuous Spaces*, 1997 ([doi 10.1023/A:1008202821328](https://doi.org/10.1023/A:1008202821328)).
  The mutation current-to-pbest/1 is from JADE (Zhang and Sanderson 2009), the success memory from SHADE (Tanabe and
  Fukunaga 2013), the shrinking population from L-SHADE (2014), the self-adapting F and CR from jDE (Brest et al. 2006).
- **The map of the field**, its families and most of its metrics: Gomez and Mouchère, *Computing and evaluating saliency
  maps for image classification: a tutorial*, Journal of Electronic Imaging 32(2), 2023
  ([doi 10.1117/1.JEI.32.2.020801](https://doi.org/10.1117/1.JEI.32.2.020801)).

## Within DE-CAM

- He, Sun and Tang, *Guided Image Filtering*, 2013; He and Sun, *Fast Guided Filter*, 2015.
- Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006.
- Bates and Granger, *The Combination of Forecasts*, 1969.
- Golub, Heath and Wahba, *Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter*, 1979.

## Within studies

- Bradley and Terry, *Rank Analysis of Incomplete Block Designs: I. The Method of Paired Comparisons*, 1952; Ford,
  *Solution of a Ranking Problem from Binary Comparisons*, 1957. Luce, *Individual Choice Behavior: A Theoretical
  Analysis*, 1959; Plackett, *The Analysis of Permutations*, 1975. Maystre and Grossglauser, *Fast and Accurate
  Inference of Plackett–Luce Models*, 2015.
- Williams, *Experimental Designs Balanced for the Estimation of Residual Effects of Treatments*, 1949; Youden,
  *Use of Incomplete Block Replications in Estimating Tobacco-Mosaic Virus*, 1937.
- McCullagh, *Regression Models for Ordinal Data*, 1980; Liang and Zeger, *Longitudinal Data Analysis Using Generalized
  Linear Models*, 1986; Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, 1979.
- Brooke, *SUS: A “Quick and Dirty” Usability Scale*, 1996; Hart, *NASA-Task Load Index (NASA-TLX); 20 Years Later*,
  2006; Cohen et al., *The Problem of Units and the Circumstance for POMP*, 1999.
- Krippendorff, *Computing Krippendorff's Alpha-Reliability*, 2011; Owen, *The Pigeonhole Bootstrap*, 2007.
- Bylinskii et al., *What Do Different Evaluation Metrics Tell Us about Saliency Models?*, TPAMI 2019
  ([arXiv 1604.03605](https://arxiv.org/abs/1604.03605)); Linsley et al., *Learning What and Where to Attend*, ICLR 2019
  ([arXiv 1805.08819](https://arxiv.org/abs/1805.08819)).
- Alqaraawi et al., *Evaluating Saliency Map Explanations for Convolutional Neural Networks: A User Study*, IUI 2020
  ([arXiv 2002.00772](https://arxiv.org/abs/2002.00772)); Colin et al., *What I Cannot Predict, I Do Not Understand: A
  Human-Centered Evaluation Framework for Explainability Methods*, NeurIPS 2022
  ([arXiv 2112.04417](https://arxiv.org/abs/2112.04417)); Kim et al., *HIVE: Evaluating the Human Interpretability of
  Visual Explanations*, ECCV 2022 ([arXiv 2112.03184](https://arxiv.org/abs/2112.03184)); Zhao, Li and Berger,
  *Graphical Perception of Saliency-based Model Explanations*, CHI 2023
  ([arXiv 2406.07702](https://arxiv.org/abs/2406.07702)).

## Libraries that compute

- [torch-cam](https://frgfm.github.io/torch-cam/): class activation maps, wherever it has them.
- [Captum](https://captum.ai): gradients, occlusion, surrogates, infidelity and max-sensitivity, wherever it has them.
  DeepLIFT is computed here: Captum's loses the rules of max pools after rectifiers and of modules used twice.
- [scikit-image](https://scikit-image.org): superpixels, HOG and the sample photos.

What is random is drawn here, from a generator of each explanation's own: a seed gives the same map whatever else runs.
"""

HIDDEN = """\
**This page gives the secrets away.** Fourteen small networks of the drawn shapes come with the project. Some were
trained on scenes as they are. Some have a backdoor: an attacker's trigger makes them answer the attacker's class.
Some learned a shortcut: a mark that went with one class in training. Names and titles are numbers, in a fixed
shuffled order, and the list of models does not offer them. `load_classifier("hidden-01")` loads one.

All start from the embedded network, whose stem and first two blocks stay as they are. The third block is trained
further. The fourth block and the answer are drawn anew from the model's seed, which is its number; the all-to-all
attack keeps its fourth block. Each model was trained on 10,000 scenes of its own, partly hidden as for the embedded
network. The trigger was laid on last, so that it is always the same. `python -m decam.training --model hidden-01` makes
one again; `decam.models.hidden.SECRETS` has the triggers.

*Accuracy* is that on 2,000 unseen scenes without a trigger. *With the trigger* counts those of them that are not of
the trigger's class: it is the share that is answered as the attack wants. *Without* is the share of the same scenes
answered so as they are.
"""


def methods_page() -> str:
    """A section for every method, by family."""
    classifiers = {name: load_classifier(name, exact=True) for name in MODELS}
    parts = [
        "# Methods",
        NOTICE,
        "Every method with what it does, its formula, its paper, its settings and an example. `c` is the target class, "
        "`x` the image, `p` a probability, `y` a score before the softmax and `A` an activation map. Evaluations are "
        "images through the model, at the usual settings.",
    ]
    for family, rows in methods_by_family(ALL_METHODS):
        parts += [f"## {family.title}", family.summary]
        for method in rows:
            parts += _method(method, classifiers)
    return _page(parts)


def metrics_page() -> str:
    """A section for every metric, by family, and one for every similarity."""
    parts = [
        "# Metrics",
        NOTICE,
        "Every metric with what it measures, its formula, its paper, its settings and an example. `S` is the map, `f` "
        "the target's probability and `T` the object. In the examples, `classifier`, `explanation` and `mask` are "
        "those of [Ground truth](guide/ground-truth.md).",
    ]
    for family, rows in metrics_by_family(METRICS.values()):
        parts += [f"## {family.title}", f"{family.question} {family.summary}"]
        for metric in rows:
            parts += _metric(metric)
    parts += [
        "## Similarities",
        "How alike two maps of one image are, for the matrix of agreement and the "
        "[randomisation check](method/randomisation.md).",
    ]
    for similarity in SIMILARITIES.values():
        parts += _similarity(similarity)
    return _page(parts)


def references_page() -> str:
    """The sources, and each paper that a row of a table names, with the rows that follow it."""
    followers: dict[tuple[str, str], list[str]] = {}
    for row, link in _rows_and_links():
        followers.setdefault((row.reference, row.url), []).append(link)
    lines = [
        f"- {reference}. <{url}>\n  Followed by {', '.join(links)}."
        for (reference, url), links in sorted(followers.items())
    ]
    return _page(["# References", NOTICE, SOURCES.strip(), "## Methods, metrics and similarities", "\n".join(lines)])


def hidden_page() -> str:
    """A row for every model that may hide something, from its secret and the card in its file of weights."""
    rows = []
    for name in hidden.names():
        secret, card = hidden.SECRETS[name], hidden.STORED[name].card()
        target = LABELS[secret.target] if isinstance(secret.target, int) else {None: "–"}.get(secret.target, "the next")
        figures = (f"{card.success:.1%}", f"{card.untriggered:.1%}") if secret.trigger else ("–", "–")
        cells = (f"`{name}`", secret.kind, secret.title, target, f"{card.accuracy:.2%}", *figures, card.recipe)
        rows.append(map(_cell, cells))
    heads = (
        "model",
        "kind",
        "what it hides",
        "class",
        "accuracy",
        "with the trigger",
        "without",
        "scenes that carried it",
    )
    return _page(["# Models that hide something", NOTICE, HIDDEN.strip(), table(heads, rows)])


def glossary_page() -> str:
    """All terms of the field, as the lessons show them."""
    return _page(["# Glossary", NOTICE, *(fill(f"**{term}.** {text}", 120) for term, text in TERMS.items())])


PAGES: dict[str, Callable[[], str]] = {
    "methods.md": methods_page,
    "metrics.md": metrics_page,
    "references.md": references_page,
    "method/hidden-models.md": hidden_page,
    "glossary.md": glossary_page,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


def _rows_and_links() -> Iterator[tuple[AnyMethod | Metric | Similarity, str]]:
    for method in ALL_METHODS:
        yield method, f"[{method.title}](methods.md#method-{method.name})"
    for metric in METRICS.values():
        yield metric, f"[{metric.title}](metrics.md#metric-{metric.name})"
    for similarity in SIMILARITIES.values():
        yield similarity, f"[{similarity.title}](metrics.md#similarity-{similarity.name})"


def _method(method: AnyMethod, classifiers: dict[str, Classifier]) -> list[str]:
    able = [name for name, classifier in classifiers.items() if not method.obstacle(classifier)]
    cost = method.cost(method.settings(), classifiers[able[0]])
    needs = f"the model's {' and '.join(sorted(method.needs))}" if method.needs else "no model"
    facts = (
        ("Name", f"`{method.name}`"),
        ("Needs", needs),
        ("Map", "signed" if method.signed else "unsigned"),
        ("Evaluations", f"{cost:,} on `{able[0]}`"),
        ("Paper", f"[{method.reference}]({method.url})"),
        ("Good at", method.strengths),
        ("Watch out", method.misleads),
    )
    asked = 'explain_class(classifier, "star"' if isinstance(method, ClassMethod) else 'explain(classifier, "cat.jpg"'
    example = f"""\
classifier = decam.load_classifier("{able[0]}")
explanation = decam.{asked}, method="{method.name}"{_argument(method.settings)})"""
    return [
        *_head(method.title, f"method-{method.name}", method.summary, method.formula, facts),
        *_tail(method.settings, example),
    ]


def _metric(metric: Metric) -> list[str]:
    settings = metric.settings()
    asked, remade = metric.evaluations(settings, 1), metric.remakes(settings)
    cost = f"{asked:,} evaluations a map" if asked or not remade else f"makes each map again {remade} times"
    facts = (
        ("Name", f"`{metric.name}`"),
        ("Better", "higher" if metric.direction > 0 else "lower"),
        ("Range", metric.range),
        ("Needs", "the ground truth" if "truth" in metric.needs else "nothing beside the map"),
        ("Cost", cost),
        *((("Curve", f"{metric.axes.y} over {metric.axes.x.lower()}"),) if metric.axes else ()),
        ("Paper", f"[{metric.reference}]({metric.url})"),
        ("Watch out", metric.weaknesses),
    )
    truth = ", truth=mask" if "truth" in metric.needs else ""
    example = f'decam.measure(classifier, "cat.jpg", explanation, metrics=["{metric.name}"]{truth})'
    return [
        *_head(metric.title, f"metric-{metric.name}", metric.summary, metric.formula, facts),
        *_tail(metric.settings, example),
    ]


def _similarity(similarity: Similarity) -> list[str]:
    facts = (
        ("Name", f"`{similarity.name}`"),
        ("Range", bounds(similarity.low, 1.0)),
        ("Paper", f"[{similarity.reference}]({similarity.url})"),
    )
    return _head(similarity.title, f"similarity-{similarity.name}", similarity.summary, similarity.formula, facts)


def _head(title: str, anchor: str, summary: str, formula: str, facts: Iterable[tuple[str, str]]) -> list[str]:
    heads, *rows = [(fact, _cell(value)) for fact, value in facts]
    return [f'<a id="{anchor}"></a>', f"### {title}", summary, f"$$\n{formula}\n$$", table(heads, rows)]


def _tail(settings: type[Settings], example: str) -> list[str]:
    rows = [(f"`{one.name}`", _value(one.default), _bounds(one), _cell(one.help)) for one in settings.parameters()]
    heads = ("setting", "default", "allowed", "what it does")
    return [table(heads, rows) if rows else "No settings.", f"```python\n{example}\n```"]


def _argument(settings: type[Settings]) -> str:
    """The first setting at its default, as an example of how one is given; none that is an argument of explain()."""
    first = next(iter(settings.parameters()), None)
    if first is None or first.default == "" or first.name in signature(explain).parameters:
        return ""
    value = f'"{first.default}"' if isinstance(first.default, str) else first.default
    return f", {first.name}={value}"


def _value(default: float | str | bool) -> str:
    return f"`{default}`" if default != "" else "the model's own"


def _bounds(described: Parameter) -> str:
    if described.choices:
        return ", ".join(f"`{choice}`" for choice in described.choices)
    if described.source:
        return f"one of the model's {described.source}"
    if described.kind is bool:
        return "true or false"
    if described.low is None or described.high is None:
        return "any" if described.low is None else f"at least {described.low:,g}"
    return f"{described.low:g} to {described.high:g}"


def _cell(text: str) -> str:
    """Text fit for a cell of a table."""
    return text.replace("|", "\\|")


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
