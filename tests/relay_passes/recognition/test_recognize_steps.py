import math

import pytest

from relay_passes.recognition.recognize_steps import merge_clips
from te_schedules.epilogue import Step

RELU = Step("relu")


def clip(low: float, high: float) -> Step:
    return Step("clip", numbers=(low, high))


@pytest.mark.parametrize(
    ("steps", "merged"),
    [
        ([RELU, clip(-math.inf, 6)], [clip(0, 6)]),
        ([clip(-1, 5), RELU], [clip(0, 5)]),
        ([RELU, RELU], [RELU]),
        ([clip(0, 6), clip(2, 9)], [clip(2, 6)]),
        ([clip(0, 1), clip(3, 4)], [clip(3, 3)]),  # whatever comes in, 3 comes out
        ([clip(3, 4), clip(0, 1)], [clip(1, 1)]),
        ([RELU, Step("exp"), RELU], [RELU, Step("exp"), RELU]),
        ([Step("exp")], [Step("exp")]),
        ([], []),
    ],
)
def test_neighbouring_clips_are_merged(steps, merged):
    assert merge_clips(tuple(steps)) == tuple(merged)


@pytest.mark.parametrize("value", [-2.0, 0.5, 3.5, 9.0])
def test_the_merged_clip_gives_what_the_two_gave(value):
    def clipped(steps, value):
        for step in steps:
            low, high = (0.0, math.inf) if step == RELU else step.numbers
            value = min(max(value, low), high)
        return value

    for first in (RELU, clip(-1, 3), clip(3, 4), clip(-math.inf, 1)):
        for second in (RELU, clip(0, 1), clip(2, 6), clip(0.25, math.inf)):
            steps = (first, second)
            assert clipped(merge_clips(steps), value) == clipped(steps, value)
