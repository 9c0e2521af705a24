import numpy as np
import tvm
from tvm import relax

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.relay_passes.relax_modules import (
    Net,
    assert_same_numbers,
    bindings_of,
    const,
    operators,
)


def kept(mod: tvm.IRModule) -> tvm.IRModule:
    main = MainRebuilder(mod)

    def emit() -> None:
        for binding in main.bindings:
            main.keep(binding)

    return main.rebuild(emit)


def small() -> tvm.IRModule:
    net = Net((2, 3))
    return net.module(lambda x: net(relax.op.exp(net(relax.op.add(x, const(1.0))))))


def test_what_is_kept_computes_the_same():
    mod = small()
    assert operators(kept(mod)) == ["add", "exp"]
    assert_same_numbers(mod, kept(mod))


def test_keeping_everything_changes_nothing_more():
    once = kept(small())
    tvm.ir.assert_structural_equal(kept(once), once)


def test_an_alias_is_replaced_by_its_value():
    net = Net((2, 3))

    def body(x):
        a = net(relax.op.exp(x))
        alias = net.builder.emit(a)
        return net(relax.op.add(net.builder.emit(alias), x))

    mod = net.module(body)
    assert len(bindings_of(mod)) == 5
    assert len(bindings_of(kept(mod))) == 3  # the last one names the result
    assert_same_numbers(mod, kept(mod))


def test_tuples_and_inputs_may_be_returned():
    net = Net((2, 3))
    mod = net.module(lambda x: (net(relax.op.exp(x)), x))
    assert_same_numbers(mod, kept(mod))


def test_casts_of_shapes_are_kept():
    n = tvm.tirx.Var("n", "int64")
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType(dtype="float32", ndim=2))
    with builder.function("main", [x]):
        with builder.dataflow():
            y = builder.match_cast(x, relax.TensorType((n, 3), "float32"))
            result = builder.emit_output(relax.op.exp(y))
        builder.emit_func_output(result)
    mod = kept(builder.finalize())
    assert any(isinstance(binding, relax.MatchCast) for binding in bindings_of(mod))
    machine = relax.VirtualMachine(relax.build(mod, "llvm"), tvm.cpu())
    got = machine["main"](tvm.runtime.tensor(np.zeros((2, 3), np.float32)))
    assert got.numpy().tolist() == [[1.0] * 3] * 2


def test_other_functions_and_attributes_stay():
    mod = relax.transform.LegalizeOps()(small()).with_attr("mine", 5)
    mod["main"] = mod["main"].with_attr("num_input", 1)
    new = kept(mod)
    assert {var.name_hint for var in new.get_global_vars()} == {"main", "add", "tir_exp"}
    assert int(new.attrs["mine"]) == 5
    assert int(new["main"].attrs["num_input"]) == 1
    assert_same_numbers(mod, new)


def test_a_value_may_be_replaced():
    mod = small()
    main = MainRebuilder(mod)

    def emit() -> None:
        first, *others = main.bindings
        main.replace(first.var, main.builder.emit(relax.op.negative(main.renew(first.value))))
        for binding in others:
            main.keep(binding)

    assert operators(main.rebuild(emit)) == ["add", "negative", "exp"]
    assert operators(mod) == ["add", "exp"]
