import numpy as np
import pytest

from tests.built import foreign_library, inputs, library, standalone_library
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.loading import load


@pytest.fixture(params=["built", "loaded", "standalone"])
def model(request):
    if request.param == "standalone":
        return load(standalone_library())
    return library() if request.param == "built" else library().runnable


def test_what_it_takes_and_gives(model):
    assert model.inputs == {"x": ((1, 3, 16, 16), "float32")}
    assert model.outputs == {"y": ((1, 8, 16, 16), "float32")}
    assert repr(model).endswith(": x: float32[1, 3, 16, 16] -> y: float32[1, 8, 16, 16]>")
    assert len(model.report) == 2


def test_by_position(model):
    (found,) = model(inputs()["x"])
    assert (found == library().run(inputs())["y"]).all()
    for wrong, count in (((), "0 arrays"), ((1, 2), "2 arrays")):
        with pytest.raises(
            LibraryError, match=rf"got {count}, expected 1: x: float32\[1, 3, 16, 16\]; give them"
        ):
            model(*wrong)


def test_where_it_is_from():
    assert "net.so: x" in repr(load(standalone_library()))
    assert repr(foreign_library()).startswith(
        f"<Library for {foreign_library().target.attrs['mtriple']}"
    )


def test_an_array_where_a_dict_is_expected(model):
    with pytest.raises(
        LibraryError, match="got ndarray, expected a dict .*; give {'x': array}, or"
    ):
        model.run(np.zeros((1, 3, 16, 16), "float32"))
