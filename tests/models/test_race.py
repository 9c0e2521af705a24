import numpy as np
import onnx
import pytest

from models.race import onnxruntime_session, onnxruntime_timer, race
from tests.onnx_models import conv_model


def test_contenders_run_in_turns():
    ran, phases = [], []

    def contender(name, seconds):
        def timer(repeats):
            ran.append(name)
            return seconds[:repeats]

        return timer

    medians = race(
        {"a": contender("a", [1.0, 2.0, 9.0]), "b": contender("b", [4.0, 4.0, 4.0])},
        rounds=2,
        repeats=3,
        progress=phases.append,
    )
    assert medians == {"a": 2.0, "b": 4.0}
    assert ran == ["a", "b", "a", "b"]
    assert phases == ["measuring, round 1 of 2", "measuring, round 2 of 2"]


@pytest.fixture
def session(tmp_path):
    onnx.save(conv_model(), tmp_path / "model.onnx")
    return onnxruntime_session(str(tmp_path / "model.onnx"), threads=1)


def test_onnxruntime_gives_a_value_for_each_repeat(session):
    seconds = onnxruntime_timer(session, {"x": np.zeros((1, 3, 8, 8), "float32")})(4)
    assert len(seconds) == 4
    assert all(0 < value < 10 for value in seconds)


def test_onnxruntime_has_the_threads_that_were_asked_for(session):
    assert session.get_session_options().intra_op_num_threads == 1
    assert session.get_providers() == ["CPUExecutionProvider"]
