from tvm_patdnn.cli.layer_names import layer_names


def test_the_first_names():
    assert layer_names(["a"]) == "a"
    assert layer_names(["a", "b", "c"]) == "a, b, c"
    assert layer_names(list("abcd")) == "a, b, c, ..."
