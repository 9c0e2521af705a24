"""A device as programs use it: a real server, which runs with TVM's runtime alone."""

from __future__ import annotations

import pytest

from tests.built import inputs, library, pruned_network, require_linker
from tests.device.servers import serving
from tvm_patdnn import Device, build
from tvm_patdnn.device import device as module
from tvm_patdnn.errors import DeviceError, LibraryError
from tvm_patdnn.library import running
from tvm_patdnn.machine.host_cpu import host_caches

pytest.importorskip("cloudpickle")


@pytest.fixture(scope="module")
def address():
    with serving(key="pi", TVM_USE_RUNTIME_LIB="1") as (found, _):
        yield f"{found.host}:{found.port}"


def test_a_model_is_built_for_it_and_runs_and_is_timed_there(address):
    require_linker(library())
    with Device(address, key="pi", wait_s=30) as device:
        assert device.facts.config == {}  # there is no compiler
        assert device.facts.caches == host_caches()
        assert str(device.facts).startswith(f"{device.facts.machine}, {device.target['mcpu']}, ")
        model = build(pruned_network(), device.target).on_device(device)
        found, expected = model.run(inputs())["y"], library().run(inputs())["y"]
        assert abs(found - expected).max() < 1e-4 * abs(expected).max()
        assert len(model.time(inputs(), repeats=7)) == 7
        times = model.time_layers(inputs())
        assert list(times) == ["conv1", "conv2", "others"]
        assert all(0 < seconds < 1 for seconds in times.values())


def test_a_session_that_is_closed(address):
    with Device(address, key="pi", wait_s=30) as device:
        pass
    with pytest.raises(DeviceError, match="this session is closed; open another"):
        library().on_device(device)
    with Device(address, key="pi", wait_s=30) as another:
        assert another.facts.cores >= 1


def test_a_server_that_says_nothing(address, monkeypatch):
    monkeypatch.setattr(module, "facts_of", lambda session: None)
    with (
        Device(address, key="pi", wait_s=30) as device,
        pytest.raises(DeviceError, match="does not say what it runs on; give --target"),
    ):
        device.facts  # noqa: B018


def test_a_server_that_cannot_time_layers(address, monkeypatch):
    require_linker(library())
    monkeypatch.setattr(running, "KERNEL_TIMES_FUNCTION", "no.such.function")
    with Device(address, key="pi", wait_s=30) as device:
        model = library().on_device(device)
        with pytest.raises(LibraryError, match="the device's server cannot time layers; start"):
            model.time_layers(inputs())
