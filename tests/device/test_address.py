import pytest

from tvm_patdnn.device.address import DeviceAddress
from tvm_patdnn.errors import DeviceError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("pi.local:9090", "pi.local", 9090), ("10.0.0.7:1", "10.0.0.7", 1), ("[::1]:80", "::1", 80)],
)
def test_it_is_read(text, host, port):
    address = DeviceAddress.parse(text, "k")
    assert (address.host, address.port, address.key, address.tracked) == (host, port, "k", False)


@pytest.mark.parametrize("text", ["", "pi", "pi:", ":9090", "pi:http", "pi:0", "pi:65536"])
def test_something_else_is_told(text):
    with pytest.raises(DeviceError, match=f"device '{text}': expected HOST:PORT, such as"):
        DeviceAddress.parse(text)


def test_a_text_for_people():
    assert str(DeviceAddress.parse("pi:9")) == "pi:9"
    assert str(DeviceAddress.parse("pc:9", "rasp", tracked=True)) == "'rasp' of the tracker pc:9"
