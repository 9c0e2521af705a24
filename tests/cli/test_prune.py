import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tvm_patdnn.pruning import PruneOptions, prune_onnx_with_report
from tvm_patdnn.pruning.options import ConnectivityScope
from tvm_patdnn.sparse.patterns import find_patterns


def weights_of(path):
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


@pytest.fixture
def options(monkeypatch):
    """Runs the command and returns the options that it made."""
    seen = []

    def remember(model, options):
        seen.append(options)
        return prune_onnx_with_report(model, options)

    monkeypatch.setattr("tvm_patdnn.pruning.prune_onnx_with_report", remember)
    return seen


def test_prunes(files, printed, tmp_path):
    path = tmp_path / "out.onnx"
    text = printed("prune", files / "model.onnx", "-o", path, "--patterns", 4, "--connectivity", 2)
    assert [line.split()[0] for line in text.splitlines()] == ["layer", "conv1", "conv2", "all"]
    assert "left alone: first layer" in text
    found = find_patterns(weights_of(path)["conv2.weight"])
    assert len(found.patterns) == 4
    assert found.kept_kernels == 32
    pruned, original = weights_of(path)["conv2.weight"], weights_of(files / "model.onnx")
    assert (pruned[pruned != 0] == original["conv2.weight"][pruned != 0]).all()


def test_the_model_itself_is_no_output(files, printed, failing, tmp_path):
    path, link = tmp_path / "model.onnx", tmp_path / "link.onnx"
    path.write_bytes((files / "model.onnx").read_bytes())
    link.symlink_to(path)
    for output in (path, link):
        assert "is the model to prune, which would be lost; give another output, or --over" in (
            failing("prune", path, "-o", output)
        )
    assert path.read_bytes() == (files / "model.onnx").read_bytes()
    printed("prune", path, "-o", path, "--overwrite")
    assert path.read_bytes() != (files / "model.onnx").read_bytes()


def test_json(files, printed, tmp_path):
    result = json.loads(
        printed("prune", files / "model.onnx", "-o", tmp_path / "out.onnx", "--json")
    )
    assert [layer["name"] for layer in result["layers"]] == ["conv1", "conv2"]
    kept = sum(np.count_nonzero(w) for w in weights_of(tmp_path / "out.onnx").values())
    assert result["total"] == {"dense_weights": 27 * 8 + 9 * 64, "kept_weights": kept}


def test_defaults_are_those_of_the_library(files, printed, tmp_path, options):
    printed("prune", files / "model.onnx", "-o", tmp_path / "out.onnx")
    assert options == [PruneOptions(skip_layers=[])]


def test_every_option_arrives(files, printed, tmp_path, options):
    words = "--patterns 6 --entries 3 --connectivity 2 --connectivity-1x1 1.5 --scope balanced"
    more = "--first-layer --skip conv1 --rate conv2=4 --filter-block 2 --filter-grouping similar"
    printed(
        "prune", files / "model.onnx", "-o", tmp_path / "out.onnx", *words.split(), *more.split()
    )
    assert options == [
        PruneOptions(
            patterns=6,
            entries=3,
            connectivity=2,
            connectivity_1x1=1.5,
            connectivity_scope="balanced",
            first_layer=True,
            skip_layers=["conv1"],
            filter_block=2,
            filter_grouping="similar",
            per_layer={"conv2": 4},
        )
    ]


def test_all_patterns_and_what_they_cost(files, printed, tmp_path, options):
    words = ("--patterns=all", "--connectivity=1")
    text = printed("prune", files / "model.onnx", "-o", tmp_path / "out.onnx", *words)
    assert options[0].patterns == "all"
    assert "stored in fp32 as 16 patterns with zeros, " in text


@pytest.mark.parametrize("scope", ConnectivityScope.__args__)
def test_every_scope(files, printed, tmp_path, scope):
    printed("prune", files / "model.onnx", "-o", tmp_path / "out.onnx", "--scope", scope)


def test_wrong_options(files, failing, misused, tmp_path):
    words = ("prune", files / "model.onnx", "-o", tmp_path / "out.onnx")
    assert "connectivity=0.5 is not a rate" in failing(*words, "--connectivity", 0.5)
    assert "entries=10: a pattern keeps 1 to 9" in failing(*words, "--entries", 10)
    assert "conv9" in failing(*words, "--skip", "conv9")
    assert "invalid choice: 'all'" in misused(*words, "--scope", "all")
    assert "'conv1' is not a layer's rate" in misused(*words, "--rate", "conv1")
    assert list(tmp_path.iterdir()) == []


def test_unwritable_output(files, failing, tmp_path):
    path = tmp_path / "none" / "out.onnx"
    assert f"{path}: cannot be written: No such file" in failing(
        "prune", files / "model.onnx", "-o", path
    )


def test_a_failure_while_writing_leaves_the_old_file(files, failing, tmp_path, monkeypatch):
    path = tmp_path / "out.onnx"
    path.write_bytes(b"old")

    def full(partial, data):
        with partial.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full)
    assert "No space left" in failing("prune", files / "model.onnx", "-o", path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_input_may_be_the_output(files, printed, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes((files / "model.onnx").read_bytes())
    printed("prune", path, "-o", path, "--overwrite")
    assert (weights_of(path)["conv2.weight"] == 0).any()
