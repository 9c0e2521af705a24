from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvm_patdnn.standalone.memory_plan import Life, plan_memory

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def lives(draw):
    first, length = draw(st.integers(0, 12)), draw(st.integers(0, 6))
    return Life(bytes=draw(st.integers(0, 5000)), first=first, last=first + length)


@quick
@given(st.dictionaries(st.integers(0, 99), lives(), max_size=14))
def test_tensors_that_are_needed_at_one_time_do_not_overlap(tensors):
    plan = plan_memory(tensors)
    for key, life in tensors.items():
        start = plan.offsets[key]
        assert start % 64 == 0
        assert start + life.bytes <= plan.bytes
        for other, its in tensors.items():
            if other != key and life.meets(its):
                begin = plan.offsets[other]
                assert start + life.bytes <= begin or begin + its.bytes <= start


@quick
@given(st.dictionaries(st.integers(0, 99), lives(), max_size=14))
def test_no_less_than_what_is_needed_at_any_step_and_no_more_than_all(tensors):
    plan = plan_memory(tensors)
    sizes = {key: -(-life.bytes // 64) * 64 for key, life in tensors.items()}
    steps = range(20)
    needed = max(
        sum(sizes[k] for k, life in tensors.items() if life.first <= step <= life.last)
        for step in steps
    )
    assert needed <= plan.bytes <= sum(sizes.values())


def test_a_chain_takes_two_tensors_at_a_time():
    chain = {i: Life(bytes=100, first=i, last=i + 1) for i in range(12)}
    assert plan_memory(chain).bytes == 2 * 128


def test_the_best_of_the_orders_is_taken():
    # Largest first would put the two large ones side by side with a hole that fits neither.
    tensors = {
        "a": Life(bytes=64 * 4, first=0, last=1),
        "b": Life(bytes=64 * 3, first=1, last=2),
        "c": Life(bytes=64 * 3, first=2, last=3),
        "d": Life(bytes=64 * 1, first=0, last=3),
    }
    assert plan_memory(tensors).bytes == 64 * 8


def test_nothing():
    assert plan_memory({}).bytes == 0
