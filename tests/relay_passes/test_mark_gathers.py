import numpy as np
import tvm
from tvm import relax

from relay_passes.mark_gathers import INJECTIVE, OPAQUE, MarkGathers
from tests.relay_passes.relax_modules import Net, random_array, rewritten

INDICES = np.array([2, 0, 0, 1], np.int64)


def annotated(body) -> tvm.IRModule:
    net = Net((3, 5))
    mod = net.module(lambda x: body(net, x))
    passes = [relax.transform.LegalizeOps(), relax.transform.AnnotateTIROpPattern()]
    return tvm.transform.Sequential(passes)(mod)


def patterns(mod: tvm.IRModule) -> dict[str, int]:
    return {
        var.name_hint: int(func.attrs.get("op_pattern", -1))
        for var, func in mod.functions.items()
        if isinstance(func, tvm.tirx.PrimFunc)
    }


def gathered(net, x):
    return net(relax.op.take(x, relax.const(INDICES, "int64"), axis=0))


def test_a_gather_is_injective():
    mod = annotated(lambda net, x: net(relax.op.multiply(gathered(net, x), relax.const(2.0))))
    assert patterns(mod)["take"] == OPAQUE
    new = rewritten(MarkGathers(), mod)
    assert patterns(new) == {**patterns(mod), "take": INJECTIVE}


def test_it_is_fused_with_what_reads_it():
    mod = annotated(lambda net, x: net(relax.op.multiply(gathered(net, x), relax.const(2.0))))
    fuse = tvm.transform.Sequential([relax.transform.FuseOps(), relax.transform.FuseTIR()])
    assert len(patterns(fuse(mod))) == 2
    assert len(patterns(fuse(MarkGathers()(mod)))) == 1


def test_others_are_left():
    mod = annotated(lambda net, x: net(relax.op.matmul(x, relax.const(random_array(5, 2)))))
    assert patterns(MarkGathers()(mod)) == patterns(mod)
