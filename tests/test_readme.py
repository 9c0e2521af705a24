import re
import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.built import library, require_linker
from tests.onnx_models import model_of
from tvm_patdnn.cli.entry import _parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = ("README.md", "docs/training.md", "docs/int8.md", "docs/tuning.md")


def block(language, text=README):
    """Everything a document has in `language`."""
    return "".join(re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def command_lines():
    texts = [(ROOT / document).read_text() for document in DOCUMENTS]
    return "".join(block("sh", text) for text in texts).replace("\\\n", "").splitlines()


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A small network in model.onnx, for the input of the example."""
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="conv1", strides=[8, 8]),
        helper.make_node("Conv", ["a", "w2"], ["y"], name="conv2"),
    ]
    weights = {
        "w1": random.standard_normal((8, 3, 3, 3), np.float32),
        "w2": random.standard_normal((8, 8, 3, 3), np.float32),
    }
    monkeypatch.chdir(tmp_path)
    onnx.save(model_of(nodes, inputs={"x": (1, 3, 224, 224)}, weights=weights), "model.onnx")


def test_the_python_lines_run(model, capsys):
    require_linker(library())
    names = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert str(names["lib"].report) in printed
    assert names["lib"].report[1].compression == pytest.approx(8.1, abs=0.1)
    assert printed.endswith(" ms\n")
    image = {"x": names["image"]}
    assert (names["model"].run(image)["y"] == names["lib"].run(image)["y"]).all()
    assert Path("model.so").exists()


@pytest.mark.parametrize("line", command_lines())
def test_the_command_lines_parse(line):
    program, *words = shlex.split(line)
    assert program == "tvm-patdnn"
    assert callable(_parser().parse_args(words).run)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+[\w.]*)`", README))))
def test_the_files_it_names_exist(path):
    assert (ROOT / path).exists()
