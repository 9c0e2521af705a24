from functools import partial

from tests.bench.samples import small_network
from tvm_patdnn.bench.series import Series
from tvm_patdnn.bench.subject import Subject


def test_a_subject_is_made_when_it_is_asked_for():
    made = []

    def make(name: str) -> Subject:
        made.append(name)
        return Subject(model=name, pruned=small_network())

    series = Series([partial(make, name) for name in "abc"])
    assert (len(series), made) == (3, [])
    assert series[1].model == "b"
    assert made == ["b"]
    assert [subject.model for subject in series[1:]] == ["b", "c"]
    assert made == ["b", "b", "c"]
