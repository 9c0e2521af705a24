import numpy as np
import onnx
from onnx import numpy_helper

from tests.bench.samples import small_network
from tvm_patdnn.bench.ladder import LADDER, ladder_subjects
from tvm_patdnn.bench.systems import LADDER_SYSTEMS


def _kept(model: onnx.ModelProto) -> np.ndarray:
    return np.count_nonzero(numpy_helper.to_array(model.graph.initializer[0]), axis=(2, 3))


def test_without_a_model_it_climbs_on_the_layers_of_vgg():
    subjects = ladder_subjects()
    assert len(subjects) == 9
    first, second = subjects[0], subjects[1]
    assert [first.layer, second.layer] == ["L1 (3->64@224x224)", "L2 (64->64@224x224)"]
    assert {first.series, second.series} == {LADDER}
    assert (_kept(first.pruned) == 4).all()  # all kernels are left
    assert np.count_nonzero(_kept(second.pruned)) == round(64 * 64 / 3.6)


def test_a_model_is_climbed_on_whole_or_by_layer(tmp_path):
    onnx.save(small_network(), tmp_path / "net.onnx")
    (whole,) = ladder_subjects(tmp_path / "net.onnx")
    assert (whole.model, whole.layer, whole.series) == ("net", None, LADDER)
    layers = ladder_subjects(tmp_path / "net.onnx", per_layer=True)
    assert [each.layer for each in layers] == [
        "conv1 (3x3, 3->4@8x8)",
        "conv2 (3x3, 4->4@8x8, 2 times)",
    ]
    assert {each.series for each in layers} == {LADDER}


def test_each_rung_adds_one_optimisation(monkeypatch):
    built = {}
    monkeypatch.setattr(
        "tvm_patdnn.bench.systems.rungs.build_library",
        lambda job, **switches: built.setdefault(job, switches),
    )
    for name, system in LADDER_SYSTEMS.items():
        system.prepare(name)
    assert built == {
        "dense": {"sparse": False},
        "csr": {"patterns": False, "reorder": False, "share_loads": False, "tune": False},
        "no-opt": {"reorder": False, "share_loads": False, "tune": False},
        "+reorder": {"reorder": True, "share_loads": False, "tune": False},
        "+LRE": {"tune": False},
        "+tune": {},
    }


def test_all_rungs_run_the_same_weights_and_the_last_is_ours():
    assert all(system.pruned for system in LADDER_SYSTEMS.values())
    assert [name for name, system in LADDER_SYSTEMS.items() if system.ours] == ["+tune"]
