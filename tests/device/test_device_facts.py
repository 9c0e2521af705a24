import pytest

from tvm_patdnn.device.device_facts import DeviceFacts, facts_of
from tvm_patdnn.errors import DeviceError
from tvm_patdnn.machine.targets import resolve_target

PI = DeviceFacts(
    tvm="1",
    machine="aarch64",
    cores=4,
    cpuinfo="CPU implementer\t: 0x41\nCPU part\t: 0xd08\n",
)


def test_the_target_of_a_board():
    assert PI.target == {
        "kind": "llvm",
        "mtriple": "aarch64-linux-gnu",
        "mcpu": "cortex-a72",
        "num-cores": 4,
    }
    assert resolve_target(PI.target).attrs["mcpu"] == "cortex-a72"


def test_a_target_that_the_device_tells():
    config = {"kind": "llvm", "mtriple": "x86_64-linux-gnu", "mcpu": "znver3", "mattr": ["-rdpru"]}
    facts = DeviceFacts(tvm="1", machine="x86_64", cores=2, config=config)
    assert facts.target == {**config, "mattr": ("-rdpru",)}


def test_a_library_of_another_architecture():
    PI.check_target("arm64-linux-android")
    with pytest.raises(DeviceError, match="built for 'x86_64-linux-gnu', the device is aarch64; "):
        PI.check_target("x86_64-linux-gnu")


def test_a_server_that_does_not_say():
    class Session:
        def get_function(self, name):
            raise AttributeError(name)

    assert facts_of(Session()) is None
