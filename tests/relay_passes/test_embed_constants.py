import numpy as np
import pytest
import tvm
from tvm import relax
from tvm.ir.expr import GenericConst
from tvm.script import ir as I
from tvm.script import relax as R
from tvm.script import tirx as T

from relay_passes.embed_constants import EmbedConstants
from relay_passes.pipeline import lowering_passes
from tvm_patdnn.library.constant_file import ConstantFile, constant_file

FIRST = np.arange(1, 9, dtype="float32")
SECOND = np.arange(10, 90, 10).astype("float32")

pytestmark = pytest.mark.skipif(
    constant_file("x86_64-linux-gnu") is None, reason="no files in memory on this system"
)


@I.ir_module
class Twice:
    """A kernel that is called with two constants, and one that also has a variable there."""

    @T.prim_func(private=True)
    def scale(
        x: T.Buffer((8,), "float32"), w: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")
    ):
        for i in T.parallel(8):
            y[i] = x[i] * w[i]

    @T.prim_func(private=True)
    def add(
        x: T.Buffer((8,), "float32"), w: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")
    ):
        for i in range(8):
            y[i] = x[i] + w[i]

    @R.function
    def main(x: R.Tensor((8,), "float32")) -> R.Tensor((8,), "float32"):
        cls = Twice
        with R.dataflow():
            a = R.call_tir(cls.scale, (x, R.const(FIRST)), R.Tensor((8,), "float32"))
            b = R.call_tir(cls.scale, (a, R.const(SECOND)), R.Tensor((8,), "float32"))
            c = R.call_tir(cls.add, (b, R.const(SECOND)), R.Tensor((8,), "float32"))
            d = R.call_tir(cls.add, (c, x), R.Tensor((8,), "float32"))
            R.output(d)
        return d


def lowered(mod):
    """The module as it is when the pass comes."""
    passes = [each.info.name for each in lowering_passes()]
    ready = passes.index("CallTIRRewrite") + 1
    return tvm.transform.Sequential(lowering_passes()[:ready])(mod)


def constants_of_main(mod):
    found = []
    relax.analysis.post_order_visit(
        mod["main"].body, lambda e: found.append(e) if isinstance(e, GenericConst) else None
    )
    values = [each.value for each in found if isinstance(each.value, tvm.runtime.Tensor)]
    return [value.numpy().tolist() for value in values]


def test_constants_of_all_calls_are_embedded():
    file, before = ConstantFile(), lowered(Twice)
    text = before.script()
    after = EmbedConstants(add=file.add, path=file.path)(before)
    assert constants_of_main(after) == [SECOND.tolist()]  # of `add`, which takes x there as well
    assert before.script() == text
    with open(file.path, "rb") as stored:
        content = np.frombuffer(stored.read(), "float32")
    assert content[:8].tolist() == FIRST.tolist()
    assert content[16:].tolist() == SECOND.tolist()  # 64 bytes on


def test_twice_is_once():
    file = ConstantFile()
    embed = EmbedConstants(add=file.add, path=file.path)
    once = embed(lowered(Twice))
    assert embed(once) == once


def test_without_constants_nothing_changes():
    file = ConstantFile()
    mod = lowered(tvm.IRModule.from_expr(Twice["add"].with_attr("global_symbol", "add")))
    assert EmbedConstants(add=file.add, path=file.path)(mod) == mod
    assert file.size == 0


@pytest.mark.parametrize("exported", [False, True])
def test_the_numbers_are_the_same(exported, tmp_path):
    file = ConstantFile()
    embed = EmbedConstants(add=file.add, path=file.path)
    program = relax.build(
        Twice,
        tvm.target.Target("llvm"),
        relax_pipeline=tvm.transform.Sequential(lowering_passes(embed)),
    )
    module = program
    if exported:
        program.export_library(str(tmp_path / "twice.so"))
        module = tvm.runtime.load_module(str(tmp_path / "twice.so"))
    x = np.linspace(-1, 1, 8).astype("float32")
    found = relax.VirtualMachine(module, tvm.cpu())["main"](tvm.runtime.tensor(x)).numpy()
    np.testing.assert_allclose(found, x * FIRST * SECOND + SECOND + x, rtol=1e-6)
