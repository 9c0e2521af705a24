from dataclasses import replace

from tvm import relax

from relay_passes.int8.encodings import Encoding
from relay_passes.int8.graph import Encoded, Int8Node, Quantize, Sum


def test_a_node_reads_its_inputs():
    one, other, result = (relax.Var(name, relax.TensorType((1, 4), "uint8")) for name in "abc")
    encoding = Encoding(scale=1.0, zero=0)
    inputs = (Encoded(one, encoding), Encoded(other, encoding))
    node = Int8Node(result=result, encoding=encoding, operator=Sum(), inputs=inputs)
    assert node.reads == (one, other)
    assert replace(node, operator=Quantize(one), inputs=()).reads == (one,)
    assert replace(node, operator=Quantize(relax.const(1.0)), inputs=()).reads == ()
