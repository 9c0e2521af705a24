import json

import pytest
import tvm
from tvm import relax

from tests.layer_reports import layer_report
from tvm_patdnn.library.metadata import METADATA_FUNCTION, Metadata, embed_metadata, read_metadata
from tvm_patdnn.tensor_spec import TensorSpec

STORED = Metadata(
    target='{"kind": "llvm"}',
    inputs={"x": TensorSpec((1, 3, 8, 8), "float32"), "n": TensorSpec((), "int64")},
    outputs={"y": TensorSpec((1, -1), "float32"), "größe": TensorSpec((1,), "int64")},
    layers=(layer_report(),),
    versions={"numpy": "2"},
)


def empty_module():
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType((8,), "float32"))
    with builder.function("main", [x]):
        builder.emit_func_output(x)
    return builder.finalize()


def test_what_is_embedded_is_read_again():
    before = empty_module()
    mod = embed_metadata(before, STORED)
    program = relax.build(mod, tvm.target.Target("llvm"))
    machine = relax.VirtualMachine(program, tvm.cpu())
    assert read_metadata(machine[METADATA_FUNCTION]().numpy().tobytes()) == STORED


def test_the_module_keeps_its_functions_and_the_callers_stays():
    before = empty_module()
    mod = embed_metadata(before, STORED)
    names = {var.name_hint for var in mod.get_global_vars()}
    assert names == {"main", METADATA_FUNCTION}
    assert {var.name_hint for var in before.get_global_vars()} == {"main"}


@pytest.mark.parametrize("stored", [{"format": 1}, {}])
def test_other_formats_are_refused(stored):
    with pytest.raises(ValueError, match=r"metadata of format (1|None), expected 2"):
        read_metadata(json.dumps(stored).encode())


def test_other_bytes_are_refused():
    with pytest.raises(ValueError, match="Expecting value"):
        read_metadata(b"something else")
