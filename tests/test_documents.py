"""What the documents for contributors name exists."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def make_help():
    return subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(make [a-z-]+)`", CONTRIBUTING))))
def test_make_lists_the_commands_that_contributing_names(command):
    assert re.search(rf"^  {command} ", make_help(), re.MULTILINE)


def test_contributing_explains_both_test_commands():
    assert {"`make test`", "`make test-long`"} <= set(re.findall(r"`[^`]*`", CONTRIBUTING))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+[\w.]*)`", CONTRIBUTING))))
def test_the_files_that_contributing_names_exist(path):
    assert (ROOT / path).exists()
