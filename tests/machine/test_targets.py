import pytest
import tvm_ffi
from tvm.target import Target

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine.cores import host_cores
from tvm_patdnn.machine.host_cpu import host_config, host_triple
from tvm_patdnn.machine.target_presets import PRESETS
from tvm_patdnn.machine.targets import host_of, is_gpu, preset_names, resolve_target


def attrs(target, *names):
    attributes = resolve_target(target).attrs
    return tuple(attributes.get(name) for name in names)


@pytest.mark.parametrize("target", [None, "native", "llvm", {"kind": "llvm"}, "llvm -mcpu=native"])
def test_this_machine(target):
    assert attrs(target, "mtriple", "num-cores") == (host_triple(), host_cores())
    assert attrs(target, "mcpu") == (host_config()["mcpu"],)


def test_features_that_a_virtual_machine_hides_are_switched_off(monkeypatch):
    present = {"avx512f": False, "avx2": True, "xop": False}
    real = tvm_ffi.get_global_func

    def stand_in(name):
        known = {
            "target.llvm_get_system_cpu": lambda: "znver4",
            "target.llvm_get_system_triple": lambda: "x86_64-linux-gnu",
            "tvm.codegen.llvm.GetHostCPUFeatures": lambda: present,
        }
        return known.get(name) or real(name)

    monkeypatch.setattr(tvm_ffi, "get_global_func", stand_in)
    config = host_config.__wrapped__()
    assert config["mcpu"] == "znver4"
    assert config["mattr"] == ("-avx512f",)


@pytest.mark.parametrize(
    "text",
    [
        "llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72 -mattr=+dotprod,+crc -num-cores=2",
        "llvm --mtriple=aarch64-linux-gnu --mcpu=cortex-a72 --mattr=+dotprod,+crc --num-cores=2",
        "llvm -target=aarch64-linux-gnu -mcpu cortex-a72 -mattr +dotprod,+crc -num-cores 2",
        "raspberry-pi-4 -mattr=+dotprod,+crc -num-cores=2",
    ],
)
def test_command_line_form(text):
    found = attrs(text, "mtriple", "mcpu", "num-cores", "mattr")
    assert found[:3] == ("aarch64-linux-gnu", "cortex-a72", 2)
    assert list(found[3]) == ["+dotprod", "+crc"]


def test_a_bare_triple_is_generic_with_cores():
    found = attrs("llvm -mtriple=aarch64-linux-gnu", "mtriple", "mcpu", "num-cores")
    assert found == ("aarch64-linux-gnu", "generic", 4)


def test_options_of_other_types():
    assert attrs("llvm -opt-level=2 -fast-math=1", "opt-level", "fast-math") == (2, True)


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    keys = ("mtriple", "mcpu", "num-cores")
    written = PRESETS[name].get("host", PRESETS[name])
    assert [host_of(resolve_target(name)).attrs.get(key) for key in keys] == [
        written[key] for key in keys
    ]


@pytest.mark.parametrize(
    "target",
    [
        {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a72"},
        Target({"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a72"}),
        "raspberry-pi/4b-aarch64",
        Target("raspberry-pi/4b-aarch64"),
    ],
)
def test_dicts_targets_and_tags(target):
    assert attrs(target, "mcpu", "num-cores") == ("cortex-a72", 4)


def test_resolving_twice_changes_nothing():
    once = resolve_target("raspberry-pi-5")
    assert str(resolve_target(once)) == str(once)


def test_a_gpu_gets_this_machine_as_its_host():
    target = resolve_target("opencl")
    assert target.host.attrs["mcpu"] == host_config()["mcpu"]


def test_unknown_name():
    with pytest.raises(TargetError) as caught:
        resolve_target("raspberry-pi4")
    message = str(caught.value)
    assert message.startswith("target 'raspberry-pi4': unknown; did you mean 'raspberry-pi-4' or")
    assert ", ".join(preset_names()) in message
    assert "'llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72'" in message


@pytest.mark.parametrize("target", [3, "", "  "])
def test_not_a_target(target):
    with pytest.raises(TargetError, match="expected a string, a dict, a tvm.target.Target or None"):
        resolve_target(target)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("llvm -mtriple=foo-bar", "unknown architecture 'foo' in the triple 'foo-bar'; expected"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=znver6", "'znver6' .*; did you mean 'znver5' or"),
        (
            "llvm -mtriple=x86_64-linux-gnu -mcpu=cortex-a72",
            "it is one of aarch64: add -mtriple=aarch64-linux-gnu",
        ),
        ("llvm -foo=1", "target option '-foo': unknown for 'llvm'; known are .*mcpu"),
        ("llvm -num-cores=few", "target option '-num-cores': got 'few', expected int"),
        ("llvm -fast-math=maybe", "target option '-fast-math': got 'maybe', expected bool"),
        ("llvm -mcpu", "target option '-mcpu': has no value; write -mcpu=VALUE"),
        ("llvm cortex-a72", "expected an option such as -mcpu=cortex-a72, got 'cortex-a72'"),
        ("llvm -mcpu='", "target: cannot read .*No closing quotation"),
        ({"kind": "llvm", "color": 1}, "TVM refuses it: Unknown config option 'color'"),
        ({}, 'TVM refuses it: Field "kind" is not found'),
    ],
)
def test_mistakes(target, message):
    with pytest.raises(TargetError, match=message):
        resolve_target(target)


def test_a_gpu_has_this_machine_as_its_host():
    target = resolve_target("opencl")
    assert (target.kind.name, is_gpu(target)) == ("opencl", True)
    assert str(host_of(target).attrs["mtriple"]) == host_triple()
    assert str(host_of(target).attrs["mcpu"]) == host_config()["mcpu"]


def test_the_host_of_a_gpu_can_be_chosen():
    host = host_of(resolve_target("cuda -arch=sm_80 -host=raspberry-pi-5"))
    assert (str(host.attrs["mtriple"]), str(host.attrs["mcpu"])) == (
        "aarch64-linux-gnu",
        "cortex-a76",
    )
    with pytest.raises(TargetError, match="target 'raspberry-pi-9': unknown"):
        resolve_target("opencl -host=raspberry-pi-9")


@pytest.mark.parametrize("name", ["adreno", "mali"])
def test_gpus_of_phones_have_android_as_their_host(name):
    target = resolve_target(name)
    assert (target.kind.name, str(target.attrs["device"])) == ("opencl", name)
    assert str(host_of(target).attrs["mtriple"]) == "aarch64-linux-android"


def test_tags_of_gpus():
    assert attrs("nvidia/nvidia-a100", "arch") == ("sm_80",)
    orin = resolve_target("nvidia/jetson-orin-nano")
    assert str(host_of(orin).attrs["mtriple"]) == "aarch64-linux-gnu"


def test_a_cpu_is_its_own_host():
    target = resolve_target("raspberry-pi-4")
    assert not is_gpu(target)
    assert host_of(target) is target
