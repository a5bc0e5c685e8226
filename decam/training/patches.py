"""The training of the prototype network: likeness first, then each prototype becomes a real patch, then the answer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from decam.models.networks.prototypes import COUNT, EACH, PrototypeNetwork
from decam.training.drawing import Examples
from decam.training.fitting import Recipe, Report, first_seed, normalised, train, varied, wrong

_CLUSTER, _SEPARATION = 0.8, 0.08  # Chen et al. 2019, section 2.2
_APART = 0.05  # prototypes of one class that turn alike would show the same patch three times
_RATE, _ROUNDS, _ROWS = 0.03, 40, 256  # of the last layer's own training
_SPARSE = 1e-4  # on what speaks against a class (Chen et al. 2019, section 2.4)


def learn(model: PrototypeNetwork, examples: Examples, recipe: Recipe, report: Report) -> None:
    """The three steps of Chen et al. 2019, section 2.2 to 2.4; the model ends with places of scenes as prototypes."""
    model.head.requires_grad_(False)
    train(model, examples, recipe, report, lambda images, target: _likeness(model, images, target))
    project(model, examples, first_seed(recipe))
    report("every prototype is now a patch of a training scene")
    weigh(model, examples, recipe, report)


def _likeness(model: PrototypeNetwork, images: Tensor, target: Tensor) -> Tensor:
    """Right answers, a place like one of the class's own prototypes, and none like another class's."""
    found = model.similarities(images)
    best = found.amax((2, 3)).view(-1, COUNT // EACH, EACH).amax(2)
    absent = (target < 0.05).float()
    cluster = (target * (1 - best)).sum(1).mean()
    separation = (absent * best).sum(1).mean()
    own = F.normalize(model.similarity.prototypes, dim=1).view(COUNT // EACH, EACH, -1)
    alike = (own @ own.transpose(1, 2)).triu(1).clamp(min=0).sum((1, 2)).mean()
    right: Tensor = wrong(model.decide(found), target)
    return right + _CLUSTER * cluster + _SEPARATION * separation + _APART * alike


def weigh(model: PrototypeNetwork, examples: Examples, recipe: Recipe, report: Report) -> None:
    """Fit the last layer alone, on what the prototypes find in one round of varied scenes (Chen et al. 2019, 2.4).

    That is a convex problem in 30 numbers a scene, which are found once and then gone through many times.
    """
    model.requires_grad_(False)
    random = torch.Generator().manual_seed(recipe.seed + 2)
    with torch.no_grad():
        rounds = [(model.similarities(images).amax((2, 3)), target) for images, target in varied(examples, random)]
    found, targets = (torch.cat(parts) for parts in zip(*rounds, strict=True))
    weights = model.head.weight.requires_grad_(True)
    other = torch.arange(COUNT) // EACH != torch.arange(len(weights))[:, None]
    optimiser = torch.optim.Adam([weights], lr=_RATE)
    steps = _ROUNDS * -(-len(found) // _ROWS)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    for _ in range(_ROUNDS):
        for rows in torch.split(torch.randperm(len(found), generator=random), _ROWS):
            loss = wrong(model.answer(found[rows]), targets[rows]) + _SPARSE * weights[other].abs().sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
            optimiser.step()
            schedule.step()
            with torch.no_grad():  # a prototype may be of no use to its class, but must not speak against it
                weights.copy_(torch.where(other, weights, weights.clamp(min=0)))
    report(f"the last layer fits what the prototypes find: loss {float(loss.detach()):.3f}")


@torch.no_grad()
def project(model: PrototypeNetwork, examples: Examples, first: int) -> None:
    """Put every prototype on the place most like it among its class's scenes with one object, each in another scene.

    `first` is the seed of the first scene (Chen et al. 2019, equation 4).
    """
    model.eval()
    single = torch.nonzero(examples.labels[:, 1] < 0).flatten()
    best, places = _most_alike(model, examples, single)
    for label in range(COUNT // EACH):
        taken: set[int] = set()
        rows = torch.nonzero(examples.labels[single, 0] == label).flatten()
        for prototype in range(label * EACH, (label + 1) * EACH):
            order = rows[best[rows, prototype].argsort(descending=True)].tolist()
            row = next(row for row in order if row not in taken)
            taken.add(row)
            place = int(places[row, prototype])
            features = model.features(normalised(examples.images[single[row]][None]))
            side = features.shape[-1]
            model.similarity.prototypes[prototype] = F.normalize(features[0].flatten(1)[:, place], dim=0)
            model.seeds[prototype] = first + int(single[row])
            model.places[prototype] = torch.tensor([place // side, place % side])


def _most_alike(model: PrototypeNetwork, examples: Examples, rows: Tensor) -> tuple[Tensor, Tensor]:
    """For each scene and prototype the largest similarity and the place where it is, N×30 each."""
    best, places = [], []
    for part in torch.split(rows, 256):
        found = model.similarities(normalised(examples.images[part])).flatten(2).max(2)
        best.append(found.values)
        places.append(found.indices)
    return torch.cat(best), torch.cat(places)
