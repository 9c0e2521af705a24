import math

from te_schedules.cost_feature import cost_feature


def test_half_the_cost_is_one_less_and_nothing_is_negative():
    assert math.isclose(cost_feature(4e6) - cost_feature(2e6), 1, abs_tol=1e-3)
    assert cost_feature(0.0) == 0.0
