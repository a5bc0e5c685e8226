"""The texts that participants read, by language: English and German are shipped, others come as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from decam.errors import DecamError
from decam.files import json_text

_FOLDER = Path(__file__).parent
SHIPPED = tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))
DIRECTIONS = ("ltr", "rtl")


class WordingError(DecamError):
    """A text that is missing, or a file of texts that cannot be used."""


@dataclass(frozen=True)
class Wording:
    """The texts of one language by their keys; `direction` is that of its writing."""

    language: str
    direction: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values filled in; raises WordingError for a key that does not exist."""
        text = self.texts.get(key)
        if text is None:
            raise WordingError(f"There is no text {key!r} in the wording {self.language!r}.")
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def with_texts(self, texts: Mapping[str, str], language: str = "", direction: str = "") -> Wording:
        """This wording with some texts replaced; raises WordingError for a key that does not exist."""
        unknown = [key for key in texts if key not in self.texts]
        if unknown:
            raise WordingError(
                f"No text is called {', '.join(unknown[:5])}; keep the keys of the file that you began with."
            )
        return Wording(language or self.language, direction or self.direction, {**self.texts, **texts})


@cache
def shipped(language: str) -> Wording:
    """A wording that comes with decam; any other language begins with the English one."""
    name = language if language in SHIPPED else "en"
    read = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Wording(read["language"], read["direction"], read["texts"])


def wording_json(wording: Wording) -> str:
    """A wording as a file that a translator can edit."""
    entries = {"language": wording.language, "direction": wording.direction, "texts": dict(wording.texts)}
    return json_text(entries)


def wording_from_json(text: str | bytes) -> Wording:
    """A wording from its file; what the file leaves out stays English.

    Raises WordingError for what is no such file, for unknown keys, and for a text that lost one of its values.
    """
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WordingError("This wording is not JSON; begin with the English file and replace its texts.") from error
    entries: dict[str, Any] = read if isinstance(read, dict) else {}
    texts, language, direction = (entries.get(name) for name in ("texts", "language", "direction"))
    whole = isinstance(texts, dict) and all(isinstance(one, str) for one in texts.values())
    if not isinstance(texts, dict) or not whole or not isinstance(language, str) or direction not in DIRECTIONS:
        raise WordingError('A wording needs "language", "direction" ("ltr" or "rtl") and "texts" by their keys.')
    english = shipped("en")
    for key, translated in texts.items():
        lost = [value for value in _values(english.texts.get(key, "")) if value not in translated]
        if lost:
            raise WordingError(f"The text {key!r} lost {', '.join(lost)}; keep what stands in braces.")
    return english.with_texts(texts, language, direction)


def _values(text: str) -> list[str]:
    parts = text.split("{")[1:]
    return ["{" + part.partition("}")[0] + "}" for part in parts]
