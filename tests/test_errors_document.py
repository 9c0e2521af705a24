"""The page of errors quotes messages that the code has."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUOTED = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)


@cache
def texts():
    """The strings of the package, with "{}" where values go."""
    found = []
    for path in (ROOT / "tvm_patdnn").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def test_there_are_some():
    assert len(QUOTED) > 20


@pytest.mark.parametrize("message", QUOTED)
def test_the_code_has_the_message(message):
    assert any(message in text for text in texts())
