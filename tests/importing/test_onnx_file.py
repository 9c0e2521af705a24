import onnx
import pytest
from onnx import helper

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_file import load_onnx


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(conv_model(), path)
    return path


@pytest.mark.parametrize("form", [str, lambda path: path, lambda path: path.read_bytes()])
def test_reads_paths_and_bytes(file, form):
    assert load_onnx(form(file)) == conv_model()


def test_returns_a_model_as_it_is():
    model = conv_model()
    assert load_onnx(model) is model


def test_reads_weights_from_an_external_file(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(conv_model(), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert load_onnx(path).graph.initializer[0].raw_data
    with pytest.raises(ModelError, match=r"weight 'features.0.weight' is in another file.*path"):
        load_onnx(path.read_bytes())


def test_says_that_the_external_file_is_missing(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(conv_model(), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(ModelError, match=r"net.onnx: its weights are in another file that cannot"):
        load_onnx(path)


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"none.onnx: no such file; give the path of an .onnx"):
        load_onnx(tmp_path / "none.onnx")


def test_directory(tmp_path):
    with pytest.raises(ModelError, match=r"is a directory; give the .onnx file in it"):
        load_onnx(tmp_path)


def test_unreadable_path(file):
    with pytest.raises(ModelError, match="cannot be read: Not a directory"):
        load_onnx(file / "inner.onnx")


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9])
def test_truncated(file, kept):
    data = file.read_bytes()
    with pytest.raises(ModelError, match=r"truncated"):
        load_onnx(data[: int(len(data) * kept)])


def test_truncated_between_two_fields(file):
    model = conv_model()
    del model.opset_import[:]
    with pytest.raises(ModelError, match="no operator set is declared, the file is truncated"):
        load_onnx(model.SerializeToString())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"PK\x03\x04rest", "is a zip archive .*export the network with torch.onnx.export"),
        (b"\x89PNG\r\n\x1a\n....", r"is not an ONNX model \(begins with b'\\x89PNG"),
        (b"hello, this is text", "is not an ONNX model"),
    ],
)
def test_other_files(tmp_path, data, message):
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=message):
        load_onnx(path)


def test_empty_graph():
    with pytest.raises(ModelError, match="the graph has no nodes; expected a network"):
        load_onnx(model_of([], inputs={"x": [1]}))


def test_no_outputs():
    node = helper.make_node("Relu", ["x"], ["y"])
    with pytest.raises(ModelError, match="the graph has no outputs; name at least one"):
        load_onnx(model_of([node], inputs={"x": [1]}, outputs=()))


def test_wrong_type():
    with pytest.raises(ModelError, match=r"got int, expected a path, bytes or onnx.ModelProto"):
        load_onnx(3)


def test_an_operator_that_is_not_text_is_told():
    data = conv_model().SerializeToString().replace(b"\x22\x04Conv", b"\x22\x04C\xffnv")
    with pytest.raises(ModelError, match=r"a node's operator is b'C\\xffnv', which is not text"):
        load_onnx(data)
