"""HTML pages that stand alone: a template filled in, and data for its script."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its parts where it says {{name}}; a part is never looked through for places itself.

    Raises KeyError for a place that no part is for.
    """
    return _PLACE.sub(lambda place: parts[place[1]], template)


def script_json(content: object) -> str:
    """JSON for the inside of a script element, which no text in it can end."""
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
