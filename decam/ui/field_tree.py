"""The field as a tree: branches, families and their methods, each a way to its card."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from decam.classifier import Classifier
from decam.methods import METHODS
from decam.methods.base import Method
from decam.methods.families import TREE, Branch, Family, grouped
from decam.ui import words


def show(classifier: Classifier) -> None:
    """Draw the tree; methods that cannot explain the classifier are grey, with the reason."""
    st.html(f'<nav class="dc-tree" aria-label="Families of methods">{_branches(TREE, classifier)}</nav>')


def contents() -> None:
    """Draw the families as a short list of links."""
    links = "".join(
        f'<li><a href="#{family_anchor(family)}">{words.escaped(family.title)}</a> <small>{len(rows)}</small></li>'
        for family, rows in grouped(METHODS.values())
    )
    st.html(f'<nav class="dc-contents" aria-label="On this page"><ul>{links}</ul></nav>')


def family_anchor(family: Family) -> str:
    """Where the page has a family's cards."""
    return f"family-{family.name}"


def method_anchor(method: Method) -> str:
    """Where the page has a method's card."""
    return f"method-{method.name}"


def _branches(parts: Sequence[Branch | str], classifier: Classifier) -> str:
    drawn = "".join(_part(part, classifier) for part in parts)
    return f"<ul>{drawn}</ul>" if drawn else ""


def _part(part: Branch | str, classifier: Classifier) -> str:
    """A branch with what grows on it, or a family with its methods; nothing for one that has no methods."""
    if isinstance(part, Branch):
        inner = _branches(part.parts, classifier)
        return f'<li class="branch">{_label(part.title, part.summary)}{inner}</li>' if inner else ""
    for family, rows in grouped(METHODS.values()):
        if family.name == part:
            methods = "".join(_method(row, classifier) for row in rows)
            if all(row.obstacle(classifier) for row in rows):
                methods += "<em>None can explain this model: choose another one above.</em>"
            label = _label(family.title, family.summary, family_anchor(family))
            return f'<li class="family">{label}<div class="methods">{methods}</div></li>'
    return ""


def _label(title: str, summary: str, anchor: str = "") -> str:
    name = words.escaped(title)
    linked = f'<a href="#{anchor}">{name}</a>' if anchor else name
    return f'<div class="label"><b>{linked}</b><span>{words.escaped(summary)}</span></div>'


def _method(row: Method, classifier: Classifier) -> str:
    obstacle = row.obstacle(classifier)
    off = f' class="off" title="{words.escaped(obstacle)}"' if obstacle else ""
    return f'<a href="#{method_anchor(row)}"{off}>{words.escaped(row.title)}</a>'
