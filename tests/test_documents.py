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


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_the_files_that_documents_name_exist(document):
    named = set(re.findall(r"(?<![\w/])((?:\w+/)+[\w.-]*\w/?)", (ROOT / document).read_text()))
    ours = {path for path in named if (ROOT / path.split("/")[0]).is_dir()}
    assert ours
    assert [path for path in sorted(ours) if not (ROOT / path).exists()] == []
