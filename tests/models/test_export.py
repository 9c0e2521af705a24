import numpy as np
import onnx
import pytest
from onnx import numpy_helper

torch = pytest.importorskip("torch")

from models.export import export_onnx, main, make_network  # noqa: E402 - needs torch
from tvm_patdnn.sparse.patterns import find_patterns  # noqa: E402

SMALL = "models.small:small_vgg"
SHAPE = (1, 3, 32, 32)


def test_a_seed_decides_the_file_and_the_global_state_stays():
    state = torch.get_rng_state()
    first, again, other = (
        export_onnx(make_network(SMALL, input_shape=SHAPE, seed=seed), SHAPE) for seed in (0, 0, 1)
    )
    assert first.SerializeToString() == again.SerializeToString()
    assert first.SerializeToString() != other.SerializeToString()
    assert torch.equal(torch.get_rng_state(), state)


def test_batch_norms_stay_and_do_something():
    network = make_network(SMALL, input_shape=SHAPE)
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert all(norm.momentum == 0.1 and not norm.training for norm in norms)
    assert all(norm.running_var.std() > 0 and norm.weight.std() > 0 for norm in norms)
    model = export_onnx(network, SHAPE)
    assert sum(node.op_type == "BatchNormalization" for node in model.graph.node) == len(norms)


def test_inputs_and_outputs_have_names_and_the_file_is_written(tmp_path):
    path = tmp_path / "net.onnx"
    model = export_onnx(make_network(SMALL, input_shape=SHAPE), SHAPE, path)
    assert [v.name for v in (*model.graph.input, *model.graph.output)] == ["x", "y"]
    assert onnx.load(path) == model


@pytest.mark.parametrize("name", ["models.small:none", "models.none:net", "models.small", ":net"])
def test_an_unknown_network_is_declined(name):
    with pytest.raises(ValueError, match=f"no network '{name}'.*; expected module:factory"):
        make_network(name, input_shape=SHAPE)


def test_the_command_writes_a_pruned_file(tmp_path, capsys):
    path = tmp_path / "net.onnx"
    assert main([SMALL, "-o", str(path), "--input", "1,3,32,32", "--prune"]) == 0
    weights = [numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer]
    rates = [find_patterns(w).compression for w in weights if w.ndim == 4]
    assert np.allclose(rates, [1.0] + [8.1] * 5, atol=0.02)
    out, err = capsys.readouterr()
    assert not out
    assert "5 of 6 pruned" in err


@pytest.mark.parametrize("arguments", [["none:none"], [SMALL, "--input", "1,3,x"]])
def test_wrong_usage_ends_with_2(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "-o", str(tmp_path / "net.onnx")])
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err
