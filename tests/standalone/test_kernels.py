import pytest
import tvm
from tvm.script import tirx as T

from tests.built import library
from tvm_patdnn.errors import BuildError
from tvm_patdnn.standalone.kernels import compile_kernels, split_kernels


@T.prim_func
def plain(x: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")):
    for i in T.parallel(8):
        y[i] = T.exp(x[i])


@T.prim_func
def calls_tvm(x: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")):
    T.evaluate(T.call_packed("some.function", x[0]))
    y[0] = x[0]


def compiled(functions, path, prefix="m"):
    mod = tvm.IRModule({name: f.with_attr("global_symbol", name) for name, f in functions.items()})
    kernels = split_kernels(mod, set(functions), library().target, prefix)
    compile_kernels(kernels, library().target, path)
    return kernels


def test_the_object_defines_the_stages_and_needs_no_tvm(tmp_path):
    path = tmp_path / "kernels.o"
    kernels = compiled({"plain": plain}, path, "net")
    assert [stage.symbol for stage in kernels["plain"].stages] == ["net_k_plain"]
    content = path.read_bytes()
    assert b"net_k_plain" in content
    assert b"TVMFFI" not in content
    assert b"ParallelLaunch" not in content


def test_only_the_named_functions_are_taken():
    mod = tvm.IRModule({"a": plain, "b": plain})
    assert set(split_kernels(mod, {"a"}, library().target, "m")) == {"a"}


def test_a_kernel_that_calls_tvm_is_declined(tmp_path):
    with pytest.raises(BuildError, match=r"a kernel calls TVM's runtime \(.*TVM\w+.*\); write the"):
        compiled({"calls_tvm": calls_tvm}, tmp_path / "kernels.o")
