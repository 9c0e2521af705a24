import pytest

from tests.pruning.test_one_shot import chain, rows_by_name
from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning.conv_layers import ConvLayer
from tvm_patdnn.pruning.layer_names import check_names, is_named, named_rate


def layer(*names):
    return ConvLayer(names=names, weight=None, tensor=None, group=1, first=False, other_use=None)


def test_a_name_with_brackets_is_itself_before_it_is_a_wildcard():
    assert is_named(layer("conv[0]"), ["conv[0]"])
    assert is_named(layer("conv0"), ["conv[0]"])
    assert not is_named(layer("conv1"), ["conv[0]"])
    assert not is_named(layer("Head.0"), ["head.*"])


def test_full_names_go_before_the_first_wildcard_that_fits():
    rates = {"*": 2.0, "head.*": 3.0, "head.0": 4.0}
    assert named_rate(layer("head.0", "head.0.weight"), rates) == (4.0, True)
    assert named_rate(layer("head.1"), rates) == (2.0, False)
    assert named_rate(layer("head.1"), {"neck*": 3.0}) == (None, False)


def test_a_wildcard_that_fits_nothing():
    check_names([layer("neck.0")], "skip_layers", ["neck.*", "neck.?", "neck.0"])
    with pytest.raises(PruningError, match="skip_layers: .* no convolution 'head.*'; it has neck"):
        check_names([layer("neck.0")], "skip_layers", ["head.*"])


def test_wildcards_in_a_model():
    """They pass over what cannot be pruned, and over the first layer."""
    rows = rows_by_name(chain(), skip_layers=["w*", "po?nt"], per_layer={"*": 2.0})
    assert {name for name, row in rows.items() if row.reason is None} == {"middle"}
    assert rows["middle"].kept_kernels == 64
    assert rows["wide"].reason == rows["point"].reason == "named in skip_layers"
    assert rows["first"].reason == "first layer (see first_layer)"
    assert rows["depthwise"].reason == "depthwise"
