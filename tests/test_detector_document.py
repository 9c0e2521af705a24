import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models import export
from models.detector import small_detector
from tvm_patdnn.cli import main

PAGE = (Path(__file__).parents[1] / "docs/detector.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def run(line):
    program, *words = shlex.split(line)
    if program == "python":
        assert words[:2] == ["-m", "models.export"]
        return export.main(words[2:])
    assert program == "tvm-patdnn"
    return main(words)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48)).save("photo.jpg")


def test_pruning_leaves_the_head_alone(here, capsys):
    for line in [each for each in LINES if " build " not in each and " run " not in each]:
        assert not run(line)
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "left alone" not in rows["stages.1.first.0"]
    assert all("left alone" in row for name, row in rows.items() if name.startswith("head."))
    assert not run("tvm-patdnn prune detector.onnx -o bare.onnx")
    said = capsys.readouterr().out.splitlines()
    (row,) = [line for line in said if line.startswith("head.integral")]
    assert row.endswith("left alone: a fixed table, not filters")


def test_the_python_lines(capsys):
    names = {"detector": small_detector(), "images": torch.zeros(1, 3, 64, 64)}
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(block, "docs/detector.md", "exec"), names)
    pruned = names["pruner"].projection.names
    assert len(pruned) == 12
    assert not any(name.startswith("head.") for name in pruned)


@pytest.mark.long
def test_every_line_of_the_page(here, capsys):
    for line in LINES:
        assert not run(line)
    assert "differs from ONNX Runtime by" in capsys.readouterr().out
    with np.load("found.npz") as stored:
        assert stored["y"].shape == (1, 24, 40 * 40 + 20 * 20 + 10 * 10)
