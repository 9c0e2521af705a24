from te_schedules.epilogue import Step, operands_of


def test_a_step_carries_its_operand():
    steps = [Step("add", "bias"), Step("relu"), Step("add", "residual")]
    assert operands_of(steps) == ["bias", "residual"]
    bound = [step.bind(str.upper) for step in steps]
    assert bound == [Step("add", "BIAS"), Step("relu"), Step("add", "RESIDUAL")]
    assert operands_of(steps) == ["bias", "residual"]


def test_binding_keeps_the_rest():
    step = Step("clip", "x", numbers=(0.0, 6.0), gate=(Step("relu"),))
    assert step.bind(len) == Step("clip", 1, numbers=(0.0, 6.0), gate=(Step("relu"),))
