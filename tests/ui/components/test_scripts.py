"""Scripts are modules, joined into one for each component; their own tests are JavaScript, run by Node."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from decam.ui.components import ScriptError, source
from tests.conftest import ROOT
from tests.tools import node

FILES = sorted(file.relative_to(node.COMPONENTS).as_posix() for file in node.COMPONENTS.rglob("*.js"))
ENTRIES = [name for name in FILES if "\nexport default " in (node.COMPONENTS / name).read_text(encoding="utf-8")]


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
@node.needed
def test_the_tests_of_the_scripts_pass() -> None:
    tests = sorted(str(file) for file in (ROOT / "tests").rglob("*.test.mjs"))
    assert tests
    assert "\n# fail 0" in node.node("--test", "--test-reporter=tap", *tests)


@pytest.mark.slow
@node.needed
@pytest.mark.parametrize("entry", FILES)
def test_what_is_joined_is_a_script(entry: str, tmp_path: Path) -> None:
    joined = tmp_path / "joined.mjs"
    joined.write_text(source(entry), encoding="utf-8")
    node.node("--check", str(joined))


@pytest.mark.slow
@node.needed
def test_every_name_that_is_imported_is_exported() -> None:
    imports = "".join(f"await import({(node.COMPONENTS / name).as_uri()!r});" for name in FILES)
    node.node("--input-type=module", "--eval", imports)


def test_every_script_is_joined_into_some_entry() -> None:
    joined = "\n".join(source(entry) for entry in ENTRIES)
    first = {name: (node.COMPONENTS / name).read_text(encoding="utf-8").partition("\n")[0] for name in FILES}
    assert [name for name, line in first.items() if line not in joined] == []


def test_every_entry_is_named_by_the_python_that_sends_it() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "decam" / "ui").rglob("*.py")]
    assert sorted(name for text in texts for name in re.findall(r'js=source\("([^"]+)"\)', text)) == ENTRIES


def test_modules_are_joined_once_each_after_those_that_they_import(tmp_path: Path) -> None:
    written(
        tmp_path,
        entry='// Entry.\n\nimport { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\n\nexport default b + c;\n',
        b='import { c, d } from "./c.js";\n\nexport const b = c + d;\n',
        c="export const c = 1;\nexport async function d() {}\n",
    )
    lines = [line for line in source("entry.js", tmp_path).splitlines() if line]
    assert lines == ["const c = 1;", "async function d() {}", "const b = c + d;", "// Entry.", "export default b + c;"]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ('import { a } from "./gone.js";\n', "", "no module gone.js, which first.js imports"),
        ('import { a } from "../outside.js";\n', "", "no module outside.js, which first.js imports"),
        ('import { a } from "./second.js";\n', 'import { b } from "./first.js";\n', "first.js → second.js → first.js"),
        (
            'import { a } from "./second.js";\nconst b = 1;\n',
            "export let a = 1;\nclass b {}\n",
            "second.js and first.js both declare b",
        ),
        ('import a from "./second.js";\n', "", "import a from"),
        ('import * as a from "./second.js";\n', "", "import * as a"),
        ('import { a as b } from "./second.js";\n', "", "a as b"),
        ('import "./second.js";\n', "", 'import "./second.js"'),
        ('import { a } from "library";\n', "", 'from "library"'),
        ('export { a } from "./second.js";\n', "", "export { a }"),
        ('import { a } from "./second.js";\n', "export default 1;\n", "second.js has a default export"),
    ],
)
def test_what_cannot_be_joined_is_said(first: str, second: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "outside.js").write_text("export const a = 1;\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    folder = written(tmp_path / "folder", first=first, second=second)
    with pytest.raises(ScriptError, match=re.escape(said)):
        source("first.js", folder)
