import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from models.export import export_onnx, make_network  # noqa: E402 - needs torch

PUBLISHED = [
    ("models.vgg:vgg16", 138_357_544),
    ("models.vgg:vgg16_bn", 138_365_992),
    ("models.vgg:vgg16_features", 14_714_688),
    ("models.resnet:resnet18", 11_689_512),
    ("models.resnet:resnet34", 21_797_672),
    ("models.resnet:resnet50", 25_557_032),
    ("models.mobilenet:mobilenet_v2", 3_504_872),
]
OURS = [
    ("models.resnet:resnet20", 272_474),
    ("models.small:small_vgg", 288_746),
    ("models.small:small_vgg_wide", 1_148_874),
    ("models.detector:small_detector", 3_549_724),
]
RUN = [
    ("models.vgg:vgg16_features", 32),
    ("models.resnet:resnet18", 64),
    ("models.resnet:resnet50", 64),
    ("models.resnet:resnet20", 32),
    ("models.mobilenet:mobilenet_v2", 64),
    ("models.small:small_vgg", 32),
    ("models.detector:small_detector", 64),
]


def factory(name: str):
    module, _, function = name.partition(":")
    return getattr(__import__(module, fromlist=[function]), function)


@pytest.mark.parametrize(("name", "count"), PUBLISHED + OURS)
def test_the_number_of_parameters(name, count):
    with torch.device("meta"):
        network = factory(name)()
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize(("name", "size"), RUN)
def test_the_exported_network_gives_the_same_numbers(name, size):
    shape = (2, 3, size, size)
    network = make_network(name, input_shape=shape)
    model = export_onnx(network, shape)
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(x).numpy()
    (y,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x.numpy()})
    assert np.abs(y - expected).max() <= 1e-4 * np.abs(expected).max()
    assert 0.05 < expected.std() < 20  # activations neither vanish nor explode


def test_vgg_takes_other_image_sizes_and_classes():
    from models.vgg import Vgg

    small = Vgg((8, "M", 16, "M"), num_classes=7, input_size=16, hidden=32).eval()
    assert small(torch.zeros(1, 3, 16, 16)).shape == (1, 7)
    assert factory("models.resnet:resnet20")(100)(torch.zeros(2, 3, 32, 32)).shape == (2, 100)
