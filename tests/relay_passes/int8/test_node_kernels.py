import pytest
from tvm import relax

from relay_passes.int8.encodings import Encoding
from relay_passes.int8.node_kernels import kernel_of, term_of
from te_schedules.cpu.int8.byte_code import Term
from tests.relay_passes.int8.int8_modules import QuantisedNet, assert_within_a_step, node_of


def test_terms_are_in_steps_of_the_result():
    encoding = Encoding(scale=0.5, zero=7)
    assert term_of(encoding) == Term(scale=0.5, zero=7)
    assert term_of(encoding, Encoding(scale=0.25, zero=9)) == Term(scale=2.0, zero=7)


KEEPS_BYTES = ("max_planes", "flatten_planes")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("max_planes", lambda x: relax.op.nn.max_pool2d(x, 2, 2)),
        ("average_planes", lambda x: relax.op.nn.avg_pool2d(x, 2, 2)),
        ("mean_of_planes", lambda x: relax.op.mean(x, [2, 3])),
        ("join_planes", lambda x: relax.op.concat([x, x, x], axis=1)),
        ("flatten_planes", lambda x: relax.op.reshape(x, (2, 180))),
        ("sum_planes", lambda x: relax.op.add(x, x)),
        ("sum_planes", relax.op.nn.relu),
    ],
)
def test_kernels_compute_what_the_model_says(name, made):
    net = QuantisedNet((2, 3, 6, 10))
    scale = 0.02 if name in KEEPS_BYTES else 0.0213  # no ties
    mod = net.module(lambda x: net.integers(net(made(net.numbers(x))), scale, 7))
    assert kernel_of(node_of(mod))[0] == name
    assert assert_within_a_step(mod) == ["stored_bytes", name, "plain_bytes"]
