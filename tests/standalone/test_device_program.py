from tests.standalone.test_program import T, X, Y, sequence
from tvm_patdnn.standalone.device_code import DeviceCode, DeviceFunction, Launch
from tvm_patdnn.standalone.device_program import BUFFER_ALIGNMENT, link_device_program
from tvm_patdnn.standalone.sequence import Call, Ref
from tvm_patdnn.standalone.stages import Argument


def launch(name, *arguments):
    given = tuple(Argument(kind, number) for kind, number in arguments)
    return Launch(kernel=name, arguments=given, grid=(1, 1, 1), block=(8, 1, 1))


def code(**functions):
    made = {name: DeviceFunction(*parts) for name, parts in functions.items()}
    return DeviceCode(source="", functions=made)


def test_launches_stand_where_the_function_stood():
    two = (
        launch("b0", ("shared", 0), ("parameter", 0)),
        launch("b1", ("parameter", 1), ("shared", 0)),
    )
    made = code(a=((launch("a0", ("parameter", 1), ("parameter", 0)),), ()), b=(two, (100,)))
    program = link_device_program(
        sequence(Call("a", (X, T)), Call("b", (T, Y)), temporaries=[128]), made
    )
    assert [step.launch.kernel for step in program.steps] == ["a0", "b0", "b1"]
    assert program.steps[0].args == (T, X)
    shared = program.steps[1].args[0]
    assert program.steps[2].args == (Y, shared)
    assert shared not in (X, Y, T)
    assert program.sizes[shared] == 100


def test_buffers_are_aligned_as_devices_want_it():
    one = (launch("k", ("parameter", 0), ("parameter", 1), ("parameter", 2)),)
    calls = sequence(Call("k", (X, T, Y)), temporaries=[4])
    program = link_device_program(calls, code(k=(one, ())))
    assert sorted(program.memory.offsets.values()) == [0, BUFFER_ALIGNMENT, 2 * BUFFER_ALIGNMENT]
    assert program.memory.bytes == 3 * BUFFER_ALIGNMENT


def test_constants_and_what_no_kernel_reads_take_no_place():
    one = (launch("k", ("parameter", 0), ("parameter", 1)),)
    calls = sequence(Call("k", (Ref("constant", 0), Y)))
    assert set(link_device_program(calls, code(k=(one, ()))).memory.offsets) == {Y}
