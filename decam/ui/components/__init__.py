"""What runs in the browser: each component's Python, scripts and rules side by side."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import \{\s*\w+(?:,\s*\w+)*,?\s*\} from "(\.[\w./]+\.js)";\n', re.MULTILINE)
_OTHER = re.compile(r"^[ \t]*(?:import\b|export\b(?! default\b)).*", re.MULTILINE)
_DEFAULT = re.compile(r"^export default\b", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async|function|class|const|let|var)\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:async )?(?:function\*?|class|const|let|var) (\w+)", re.MULTILINE)


class ScriptError(ValueError):
    """Modules that cannot be joined, in a sentence."""


def component_key(name: str) -> str:
    """A component's key from a name that may hold a run's link: two underlines in a key mean something to Streamlit."""
    return name.replace("_", ".")


def styles(*names: str) -> str:
    """Several .css files of these folders, named as "folder/file", as one."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def source(entry: str, folder: Path = _FOLDER) -> str:
    """A module of these folders, named as "folder/file", with all that it imports: one script, dependencies first."""
    joined: dict[Path, str] = {}
    _join(folder.resolve() / entry, folder.resolve(), joined, ())
    owners: dict[str, Path] = {}
    for file, text in joined.items():
        for name in _NAME.findall(text):
            if owners.setdefault(name, file) != file:
                raise ScriptError(f"{owners[name].name} and {file.name} both declare {name}: rename one of them.")
    return "\n".join(joined.values())


def _join(file: Path, folder: Path, joined: dict[Path, str], above: tuple[Path, ...]) -> None:
    """Put a module into `joined`, after the modules it imports; `above` are those that led to it."""
    if file in above:
        raise ScriptError(f"Modules import each other in a circle: {' → '.join(each.name for each in (*above, file))}.")
    if file in joined:
        return
    if not file.is_relative_to(folder) or not file.is_file():
        by = f", which {above[-1].name} imports" if above else ""
        raise ScriptError(f"There is no module {file.name}{by}: {file} is no file in {folder}.")
    text = file.read_text(encoding="utf-8")
    for name in _IMPORT.findall(text):
        _join((file.parent / name).resolve(), folder, joined, (*above, file))
    text = _EXPORT.sub("", _IMPORT.sub("", text))
    if unknown := _OTHER.search(text):
        raise ScriptError(f'{file.name} says "{unknown[0]}": only import {{ a, b }} from "./file.js" can be joined.')
    if above and _DEFAULT.search(text):
        raise ScriptError(f"{file.name} has a default export: only an entry may, and {above[-1].name} imports it.")
    joined[file] = text
