"""Every operator test of the onnx package: right, or declined by an error that names the node."""

import pytest

from tests.importing.node_tests import DECLINED, RIGHT, modules, verdicts
from tests.importing.operators_page import PAGE, counts_on_page


def check(found):
    bad = [verdict for verdict in found if verdict.end not in (RIGHT, DECLINED)]
    assert not bad, "\n".join(f"{v.name}: {v.end}: {v.said[:200]}" for v in bad)


@pytest.mark.parametrize("module", modules())
def test_operators(module):
    found = verdicts(module)
    check(found)
    page = counts_on_page(PAGE.read_text())
    for operator in {verdict.operator for verdict in found}:
        ends = [verdict.end for verdict in found if verdict.operator == operator]
        assert operator in page, f"{operator}: not on {PAGE}; write it anew"
        right, total = page[operator]
        assert ends.count(RIGHT) == right, f"{operator}: {PAGE} is old; write it anew"
        assert len(ends) <= total, f"{operator}: {PAGE} is old; write it anew"


UNDEFINED = pytest.mark.xfail(
    strict=True,
    reason="a shift beyond the width that comes at run time is whatever the CPU makes of it",
)


@pytest.mark.long
@pytest.mark.parametrize(
    "module",
    [pytest.param(name, marks=UNDEFINED) if name == "bitshift" else name for name in modules()],
)
def test_operators_whose_inputs_all_are_inputs(module):
    check(verdicts(module, constants=False))
