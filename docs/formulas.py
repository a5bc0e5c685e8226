"""Formulas of the documentation as MathML, made while the pages are built: readers need neither a script nor a network.

A block stands between lines of two dollars, a formula in a line between a dollar with a backtick and its mirror image.
GitHub shows both in the same way.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.util import AtomicString

_BLOCK = re.compile(r"^\$\$\n(.+?)\n\$\$$", re.MULTILINE | re.DOTALL)
_INLINE = r"\$`([^`]+)`\$"


def mathml(latex: str, display: str) -> str:
    """A formula as MathML; `display` is block or inline. Raises ValueError for a command that is not known."""
    # What the converter leaves as it is: an operator of two words, and lines one below the other.
    plain = re.sub(r"\\arg\\(min|max)", r"\\mathrm{arg\1}", latex)
    plain = plain.replace(r"\begin{gathered}", r"\begin{matrix}").replace(r"\end{gathered}", r"\end{matrix}")
    found: str = convert(plain, display=display)
    if left := re.search(r"<m[iot][^>]*>(\\|&#x0005C;)\w+", found):
        raise ValueError(f"{latex} holds a command that cannot be shown ({left.group()}); write the formula otherwise.")
    return found


class _Blocks(Preprocessor):
    """Runs after fenced code has been set aside, so that dollars in code stay dollars."""

    def run(self, lines: list[str]) -> list[str]:
        def block(found: re.Match[str]) -> str:
            html = f'<div class="formula">{mathml(found.group(1), "block")}</div>'
            return f"\n{self.md.htmlStash.store(html)}\n"

        return _BLOCK.sub(block, "\n".join(lines)).split("\n")


class _Inline(InlineProcessor):
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element | str, int, int]:  # type: ignore[override]  # noqa: ARG002, N802 - the library's own names
        placeholder = self.md.htmlStash.store(mathml(m.group(1), "inline"))
        return AtomicString(placeholder), m.start(0), m.end(0)


class Formulas(Extension):
    """Python-Markdown with formulas."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the library's own name
        """Blocks before paragraphs are found, formulas in a line before code in backticks."""
        md.preprocessors.register(_Blocks(md), "formula-blocks", 24)
        md.inlinePatterns.register(_Inline(_INLINE, md), "formulas", 200)


def on_config(config: Any) -> Any:
    """Called by MkDocs once its settings are read."""
    config["markdown_extensions"].append(Formulas())
    return config
