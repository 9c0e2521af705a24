import tvm_patdnn
from tests.built import library, pruned_network
from tvm_patdnn.inspection import inspect


def test_is_the_report_of_the_build():
    assert list(inspect(pruned_network())) == list(library().report)


def test_phases():
    phases = []
    inspect(pruned_network(), progress=phases.append)
    assert phases == ["import", "analysis"]


def test_is_public():
    assert tvm_patdnn.inspect is inspect
