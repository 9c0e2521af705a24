import numpy as np
import pytest
import tvm
from tvm.tirx.script import builder as T

from te_schedules.tir_function import prim_func
from tests.gpu.opencl import run_opencl
from tests.gpu.opencl_modules import OPENCL
from tvm_patdnn.errors import BuildError
from tvm_patdnn.standalone.device_code import device_code
from tvm_patdnn.standalone.stages import Argument

X = np.arange(32, dtype=np.float32)


def scaled(source, target, factor, threads=8):
    with (
        T.launch_thread("blockIdx.x", 32 // threads) as block,
        T.launch_thread("threadIdx.x", threads) as thread,
    ):
        at = block * threads + thread
        T.buffer_store(target, source[at] * T.float32(factor), [at])


def function(body, params=(("z_in", (32,), "float32"), ("a_out", (32,), "float32"))):
    return prim_func(params, body)


def test_a_launch_knows_its_sizes_and_its_arguments_in_the_kernels_order():
    code = device_code({"twice": function(lambda x, y: scaled(x, y, 2.0))}, OPENCL)
    (launch,) = code.functions["twice"].launches
    assert (launch.grid, launch.block) == ((4, 1, 1), (8, 1, 1))
    assert launch.arguments == (Argument("parameter", 1), Argument("parameter", 0))
    assert f"__kernel void {launch.kernel}" in code.source
    _, y = run_opencl(code.source, code.functions["twice"], [X, np.zeros_like(X)])
    np.testing.assert_array_equal(y, 2 * X)


def test_regions_of_threads_are_launches_in_turn_and_share_what_is_allocated():
    def body(x, y):
        between = T.alloc_buffer((32,), "float32")
        scaled(x, between, 3.0)
        scaled(between, y, 5.0, threads=16)

    code = device_code({"both": function(body)}, OPENCL)
    both = code.functions["both"]
    assert [launch.block[0] for launch in both.launches] == [8, 16]
    assert both.shared == (128,)
    _, y = run_opencl(code.source, both, [X, np.zeros_like(X)])
    np.testing.assert_array_equal(y, 15 * X)


def test_functions_share_a_source():
    twice, thrice = (function(lambda x, y, f=f: scaled(x, y, f)) for f in (2.0, 3.0))
    code = device_code({"twice": twice, "thrice": thrice}, OPENCL)
    names = {code.functions[name].launches[0].kernel for name in ("twice", "thrice")}
    assert len(names) == 2
    assert all(f"__kernel void {name}(" in code.source for name in names)


@pytest.mark.parametrize(("kind", "word"), [("cuda", "__global__"), ("metal", "kernel void")])
def test_other_languages(kind, word):
    arch = {"arch": "sm_90"} if kind == "cuda" else {}
    target = tvm.target.Target({"kind": kind, **arch}, host=OPENCL.host)
    code = device_code({"twice": function(lambda x, y: scaled(x, y, 2.0))}, target)
    assert word in code.source
    assert code.functions["twice"].launches[0].grid == (4, 1, 1)


def test_nothing_to_launch():
    assert device_code({}, OPENCL).source == ""


def test_launches_in_a_loop_are_declined():
    def body(x, y):
        with T.serial(3):
            scaled(x, y, 2.0)

    with pytest.raises(BuildError, match="kernel 'again': For, where only launches of fixed sizes"):
        device_code({"again": function(body)}, OPENCL)
