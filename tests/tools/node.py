"""The browser's scripts, run by Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.conftest import ROOT

NODE = shutil.which("node")
COMPONENTS = ROOT / "decam" / "ui" / "components"
needed = pytest.mark.skipif(NODE is None, reason="Node is not installed, which runs the browser's code here.")


def node(*arguments: str, given: str = "") -> str:
    """What Node prints, started in the root of the repository."""
    assert NODE is not None
    command = [NODE, *arguments]
    run = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def evaluate(names: str, module: str, expression: str, given: Any) -> Any:
    """The value of an expression of `given` and of these names, which one module ("folder/file.js") exports."""
    code = f"""
import {{ readFileSync }} from "node:fs";
import {{ {names} }} from {json.dumps((COMPONENTS / module).as_uri())};
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({expression}));
"""
    return json.loads(node("--input-type=module", "--eval", code, given=json.dumps(given)))
