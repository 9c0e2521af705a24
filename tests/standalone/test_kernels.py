from concurrent.futures import ThreadPoolExecutor

import pytest
import tvm
from tvm.script import tirx as T

from tests.built import library
from tvm_patdnn.errors import BuildError
from tvm_patdnn.standalone.kernels import compile_kernels, split_kernels
from tvm_patdnn.standalone.write_folder import kernel_objects


@T.prim_func
def plain(x: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")):
    for i in T.parallel(8):
        y[i] = T.exp(x[i])


@T.prim_func
def calls_tvm(x: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")):
    T.evaluate(T.call_packed("some.function", x[0]))
    y[0] = x[0]


def compiled(functions, folder, prefix="m"):
    mod = tvm.IRModule({name: f.with_attr("global_symbol", name) for name, f in functions.items()})
    return compile_kernels(mod, set(functions), library().target, prefix, folder)


def test_the_object_defines_the_stages_and_needs_no_tvm(tmp_path):
    kernels = compiled({"plain": plain}, tmp_path, "net")
    assert [stage.symbol for stage in kernels["plain"].stages] == ["net_k_plain"]
    assert [file.name for file in tmp_path.iterdir()] == ["kernels0.o"]
    content = (tmp_path / "kernels0.o").read_bytes()
    assert b"net_k_plain" in content
    assert b"TVMFFI" not in content
    assert b"ParallelLaunch" not in content


def test_many_kernels_are_shared_out_the_same_way_everywhere(tmp_path, monkeypatch):
    """Each is in one of the objects, whose bytes do not tell how many cores there were."""
    contents = []
    for cores in (1, 3):
        monkeypatch.setattr("tvm_patdnn.standalone.kernels.host_cores", lambda cores=cores: cores)
        folder = tmp_path / str(cores)
        folder.mkdir()
        compiled({f"k{i}": plain for i in range(12)}, folder)
        contents.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == kernel_objects(folder) == [f"kernels{i}.o" for i in range(8)]
    for i in range(12):
        assert sum(f"m_k_k{i}\0".encode() in content for content in contents[0].values()) == 1


def test_what_has_not_begun_is_not_compiled_after_an_error(tmp_path, monkeypatch):
    asked = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, **options):
            asked.append(options)
            super().shutdown(**options)

    monkeypatch.setattr("tvm_patdnn.standalone.kernels.ThreadPoolExecutor", Pool)
    with pytest.raises(BuildError, match="a kernel calls TVM's runtime"):
        compiled({f"k{i}": calls_tvm for i in range(6)}, tmp_path)
    assert asked[0] == {"wait": False, "cancel_futures": True}


def test_only_the_named_functions_are_taken():
    mod = tvm.IRModule({"a": plain, "b": plain})
    assert set(split_kernels(mod, {"a"}, library().target, "m")) == {"a"}


def test_a_kernel_that_calls_tvm_is_declined(tmp_path):
    with pytest.raises(BuildError, match=r"a kernel calls TVM's runtime \(.*TVM\w+.*\); write the"):
        compiled({"calls_tvm": calls_tvm}, tmp_path)
