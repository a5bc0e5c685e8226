"""The field as a tree: branches, families and their methods, each a way to its card."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from decam.classifier import Classifier
from decam.methods import CLASS_METHODS, METHODS
from decam.methods.base import AnyMethod, Method
from decam.methods.taxonomy import TREE, Branch, Family, grouped
from decam.ui import text

CLASS_PAGE = "class_maps"
"""The address of the page on which the methods that no picture is given to are at work."""


def show(classifier: Classifier, elsewhere: Collection[str]) -> None:
    """Draw the tree; methods that cannot explain the classifier are grey, with the reason.

    The cards of those `elsewhere` show them on other models.
    """
    st.html(f'<nav class="dc-tree" aria-label="Families of methods">{_branches(TREE, classifier, elsewhere)}</nav>')


def contents() -> None:
    """Draw the families as a short list of links."""
    links = "".join(
        f'<li><a href="#{family_anchor(family)}">{text.escaped(family.title)}</a> <small>{len(rows)}</small></li>'
        for family, rows in grouped(METHODS.values())
    )
    st.html(f'<nav class="dc-contents" aria-label="On this page"><ul>{links}</ul></nav>')


def family_anchor(family: Family) -> str:
    """Where the page has a family's cards."""
    return f"family-{family.name}"


def method_anchor(method: Method) -> str:
    """Where the page has a method's card."""
    return f"method-{method.name}"


def _branches(parts: Sequence[Branch | str], classifier: Classifier, elsewhere: Collection[str]) -> str:
    drawn = "".join(_part(part, classifier, elsewhere) for part in parts)
    return f"<ul>{drawn}</ul>" if drawn else ""


def _part(part: Branch | str, classifier: Classifier, elsewhere: Collection[str]) -> str:
    """A branch with what grows on it, or a family with its methods; nothing for one that has no methods."""
    if isinstance(part, Branch):
        inner = _branches(part.parts, classifier, elsewhere)
        return f'<li class="branch">{_label(part.title, part.summary)}{inner}</li>' if inner else ""
    for family, rows in grouped((*METHODS.values(), *CLASS_METHODS.values())):
        if family.name == part:
            methods = "".join(_method(row, classifier) for row in rows)
            if all(row.obstacle(classifier) for row in rows):
                shown = all(row.name in elsewhere for row in rows)
                way = "their cards show models made for them" if shown else "choose another one above"
                methods += f"<em>None can explain this model: {way}.</em>"
            cards = any(isinstance(row, Method) for row in rows)
            label = _label(family.title, family.summary, family_anchor(family) if cards else "")
            return f'<li class="family">{label}<div class="methods">{methods}</div></li>'
    return ""


def _label(title: str, summary: str, anchor: str = "") -> str:
    name = text.escaped(title)
    linked = f'<a href="#{anchor}">{name}</a>' if anchor else name
    return f'<div class="label"><b>{linked}</b><span>{text.escaped(summary)}</span></div>'


def _method(row: AnyMethod, classifier: Classifier) -> str:
    """The way to a method's card, or to the page that shows it where its answer belongs to no picture."""
    obstacle = row.obstacle(classifier)
    off = f' class="off" title="{text.escaped(obstacle)}"' if obstacle else ""
    way = f'href="#{method_anchor(row)}"' if isinstance(row, Method) else f'href="{CLASS_PAGE}" target="_self"'
    return f"<a {way}{off}>{text.escaped(row.title)}</a>"
