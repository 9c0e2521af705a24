from tvm_patdnn.standalone.program import link_program
from tvm_patdnn.standalone.sequence import Call, Ref, Sequence, Tensor
from tvm_patdnn.standalone.stages import Argument, Kernel, Stage

X, Y, T = Ref("input", 0), Ref("output", 0), Ref("temporary", 0)


def stage(symbol, *arguments, iterations=8, scratch=0):
    return Stage(
        symbol=symbol,
        function=None,
        arguments=tuple(Argument(kind, number) for kind, number in arguments),
        iterations=iterations,
        scratch=scratch,
    )


def sequence(*calls, temporaries=(), copies=()):
    return Sequence(
        inputs=[Tensor((16,), "float32")],
        outputs=[Tensor((16,), "float32")],
        temporaries=list(temporaries),
        calls=list(calls),
        copies=list(copies),
    )


def test_stages_stand_where_the_kernel_stood():
    first = stage("a", ("parameter", 0), ("parameter", 1))
    two = [
        stage("b_0", ("parameter", 0), ("shared", 0)),
        stage("b_1", ("shared", 0), ("scratch", 64)),
    ]
    kernels = {
        "a": Kernel(stages=(first,), shared=()),
        "b": Kernel(stages=tuple(two), shared=(640,)),
    }
    calls = sequence(Call("a", (X, T)), Call("b", (T, Y)), temporaries=[128])
    program = link_program(calls, kernels)
    assert [step.stage.symbol for step in program.steps] == ["a", "b_0", "b_1"]
    assert program.steps[0].args == (X, T)
    shared = program.steps[1].args[1]
    assert program.steps[1].args[0] == T
    assert program.steps[2].args == (shared, 64)
    assert shared not in (X, Y, T)
    assert {X, T, shared} <= set(program.memory.offsets)


def test_what_two_calls_share_is_not_the_same():
    kernel = Kernel(stages=(stage("b", ("shared", 0)),), shared=(64,))
    program = link_program(sequence(Call("b", ()), Call("b", ())), {"b": kernel})
    assert program.steps[0].args != program.steps[1].args


def test_threads_and_scratch_are_the_most_of_any_step():
    stages = (stage("a", iterations=3, scratch=64), stage("b", iterations=20, scratch=640))
    program = link_program(sequence(Call("k", ())), {"k": Kernel(stages=stages, shared=())})
    assert (program.most_threads, program.scratch) == (20, 640)
    assert link_program(sequence(), {}).most_threads == 1


def test_an_input_that_is_copied_at_the_end_is_not_written_over():
    kernel = Kernel(stages=(stage("a", ("parameter", 0), ("parameter", 1)),), shared=())
    calls = sequence(Call("a", (X, T)), Call("a", (T, Ref("temporary", 1))), temporaries=[64, 64])
    calls.copies.append((Y, X))
    offsets = link_program(calls, {"a": kernel}).memory.offsets
    assert offsets[Ref("temporary", 1)] not in (offsets[X], offsets[T])
