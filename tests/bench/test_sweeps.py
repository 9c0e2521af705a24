import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.bench.samples import small_network
from tests.onnx_models import model_of
from tvm_patdnn.bench.sweeps import SWEEPS, sweep_subjects
from tvm_patdnn.errors import BenchError


@pytest.fixture
def model(tmp_path):
    """A dense file: one convolution that is not pruned, as the first, and one that is."""
    random = np.random.default_rng(0)
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w1"], ["a"], name="first", pads=[1] * 4),
        onnx.helper.make_node("Conv", ["a", "w2"], ["y"], name="second", pads=[1] * 4),
    ]
    weights = {
        "w1": random.standard_normal((16, 3, 3, 3), np.float32),
        "w2": random.standard_normal((16, 16, 3, 3), np.float32),
    }
    onnx.save(model_of(nodes, inputs={"x": (1, 3, 8, 8)}, weights=weights), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def _weight(subject) -> np.ndarray:
    return numpy_helper.to_array(subject.pruned.graph.initializer[1])


def test_compression_is_what_was_asked_for(model):
    values = [1.5, 2.25, 4.5, 18]
    subjects = sweep_subjects("compression", model, threads=1, values=values)
    assert [subject.value for subject in subjects] == values
    for subject in subjects:
        weight = _weight(subject)
        assert weight.size / np.count_nonzero(weight) == pytest.approx(subject.value, rel=0.02)
    assert np.count_nonzero(_weight(subjects[0]), axis=(2, 3)).min() == 6
    assert np.count_nonzero(_weight(subjects[3]), axis=(2, 3)).max() == 4


def test_the_others_get_the_dense_model(model):
    (subject,) = sweep_subjects("compression", model, threads=1, values=[18])
    assert np.count_nonzero(numpy_helper.to_array(subject.dense.graph.initializer[1])) == 2304
    assert (subject.model, subject.layer, subject.series) == ("net", None, "compression")
    assert np.count_nonzero(numpy_helper.to_array(subject.pruned.graph.initializer[0])) == 432


def test_the_pattern_set_has_as_many_patterns(model):
    for subject in sweep_subjects("patterns", model, threads=1):
        masks = _weight(subject).reshape(-1, 9) != 0
        patterns = {tuple(mask) for mask in masks if mask.any()}
        assert len(patterns) == subject.value


def test_blocks_of_filters_keep_the_same_weights(model):
    for subject in sweep_subjects("filter-block", model, threads=1):
        kept = _weight(subject) != 0
        size = int(subject.value)
        assert np.array_equal(kept, np.repeat(kept[::size], size, axis=0))


def test_threads_are_those_of_the_point(model):
    subjects = sweep_subjects("threads", model, threads=6)
    assert [(each.value, each.threads) for each in subjects] == [(1, 1), (2, 2), (4, 4), (6, 6)]


def test_images_get_another_size(model):
    (subject,) = sweep_subjects("image-size", model, threads=1, values=[12])
    for made in (subject.pruned, subject.dense):
        dims = made.graph.input[0].type.tensor_type.shape.dim
        assert [dim.dim_value for dim in dims] == [1, 3, 12, 12]


def test_without_a_model_it_is_a_layer_of_vgg():
    (subject,) = sweep_subjects("image-size", None, threads=1, values=[64])
    assert subject.model == "VGG-16 256->256@56x56"
    dims = subject.dense.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 256, 16, 16]
    kept = np.count_nonzero(numpy_helper.to_array(subject.pruned.graph.initializer[0]))
    assert 256 * 256 * 9 / kept == pytest.approx(8.1, rel=0.01)


@pytest.mark.parametrize(("name", "value"), [("threads", 1.5), ("patterns", 0), ("image-size", -4)])
def test_values_that_are_no_counts_are_declined(name, value):
    said = f"{name}: got the value {value}, expected whole numbers of at least 1"
    with pytest.raises(BenchError, match=said):
        sweep_subjects(name, None, threads=1, values=[value])


def test_nothing_is_compressed_to_more(model):
    with pytest.raises(BenchError, match="compression: got the value 0.5, expected numbers of at"):
        sweep_subjects("compression", model, threads=1, values=[0.5])


def test_the_layer_has_a_quarter_of_the_image():
    (subjects) = sweep_subjects("image-size", None, threads=1, values=[30])
    with pytest.raises(BenchError, match="image-size: got the value 30, expected a multiple of 4"):
        subjects[0]


def test_the_usual_values_are_those_that_are_promised(model):
    assert SWEEPS["compression"].values(1)[1] == 2.25
    assert SWEEPS["compression"].values(1)[-1] == 18
    assert SWEEPS["patterns"].values(1) == (4, 6, 8, 12)
    assert SWEEPS["threads"].values(1) == [1]
    for name in ("compression", "patterns", "threads"):
        assert len(sweep_subjects(name, model, threads=2)) == len(SWEEPS[name].values(2))


def test_a_small_network_is_swept_too(tmp_path):
    onnx.save(small_network(), tmp_path / "net.onnx")
    assert sweep_subjects("compression", tmp_path / "net.onnx", threads=1)[0].value == 1.5
