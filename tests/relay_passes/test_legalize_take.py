import numpy as np
import pytest
from tvm import relax

from relay_passes.legalize_take import legalize_take
from tests.relay_passes.relax_modules import Net, random_array, run_module


def taken(indices: list[int], axis: int, capfd) -> np.ndarray:
    net = Net((3, 5))
    wanted = relax.const(np.array(indices, np.int64), "int64")
    mod = net.module(lambda x: net(relax.op.take(x, wanted, axis=axis)))
    new = relax.transform.LegalizeOps({"relax.take": legalize_take})(mod)
    (got,) = run_module(new, random_array(3, 5))
    assert "segfault" not in capfd.readouterr().err
    return got


@pytest.mark.parametrize(("indices", "axis"), [([2, 0, 0, 1], 0), ([4, 1], 1)])
def test_what_is_taken(indices, axis, capfd):
    assert np.array_equal(taken(indices, axis, capfd), random_array(3, 5).take(indices, axis))


def test_an_index_out_of_bounds_reads_what_is_nearest(capfd):
    assert np.array_equal(taken([-7, 1000], 0, capfd), random_array(3, 5)[[0, 2]])
