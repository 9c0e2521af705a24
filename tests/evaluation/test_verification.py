from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from tests.built import library, pruned_network
from tvm_patdnn.errors import BuildError
from tvm_patdnn.evaluation import verification
from tvm_patdnn.evaluation.verification import require_reference, verify

SOURCE = pruned_network().SerializeToString()


def altered(change):
    """The library, its output changed."""
    return SimpleNamespace(
        metadata=library().metadata, run=lambda inputs: {"y": change(library().run(inputs)["y"])}
    )


def test_what_was_built_is_right():
    found = verify(library().runnable, SOURCE)
    assert list(found) == ["y"]
    assert 0 <= found["y"] < 1e-5


def one_wrong(array):
    array[0, 0, 0, 0] += 0.01 * np.abs(array).max()
    return array


@pytest.mark.parametrize(
    "change", [one_wrong, np.zeros_like, lambda y: y[:, :1], lambda y: y * np.nan, lambda y: y / 0]
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_wrong_is_told(change):
    with pytest.raises(BuildError, match="output 'y' differs from ONNX Runtime's by .*do not use"):
        verify(altered(change), SOURCE)


def test_half_precision_may_differ_more():
    def rounded(array):
        array[0, 0, 0, 0] += 0.005 * np.abs(array).max()
        return array

    assert 0.004 < verify(altered(rounded), SOURCE, "float16")["y"] < 0.006
    with pytest.raises(BuildError, match="expected at most 0.001"):
        verify(altered(rounded), SOURCE)
    with pytest.raises(BuildError, match="expected at most 0.01"):
        verify(altered(np.zeros_like), SOURCE, "float16")


def test_a_model_that_the_reference_does_not_run():
    with pytest.raises(BuildError, match="verify: ONNX Runtime does not run the model: "):
        verify(library().runnable, onnx.ModelProto().SerializeToString())


def test_a_missing_reference(monkeypatch):
    monkeypatch.setattr(verification, "find_spec", lambda name: None)
    with pytest.raises(BuildError, match="which is not installed; install it with: pip install on"):
        require_reference()
