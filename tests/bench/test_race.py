from types import SimpleNamespace

from tvm_patdnn.bench.race import median_ratio, race


class _Entrant:
    def __init__(self, name, log):
        self.system = SimpleNamespace(name=name)
        self._log = log

    def turn(self, number):
        self._log.append((number, self.system.name))

    def profile(self, number):
        assert self._log[-1] == (number, self.system.name)


def test_each_round_begins_with_another():
    log, told = [], []
    race([_Entrant(name, log) for name in "abc"], 4, told.append)
    assert ["".join(name for number, name in log if number == i) for i in range(4)] == [
        "abc",
        "bca",
        "cab",
        "abc",
    ]
    assert told[0] == "round 1: a"
    assert len(told) == 12


def test_a_ratio_is_taken_within_a_round():
    """The machine gets twice as slow after the first round; the ratio stays."""
    ours = SimpleNamespace(turns={0: [1.0, 1.0, 9.0], 1: [2.0], 2: [2.0]})
    other = SimpleNamespace(turns={0: [3.0], 1: [6.0], 2: [6.0, 6.0]})
    assert median_ratio(other, ours) == 3.0
    assert median_ratio(ours, ours) == 1.0


def test_without_a_common_round_there_is_no_ratio():
    ours = SimpleNamespace(turns={0: [1.0]})
    assert median_ratio(SimpleNamespace(turns={1: [1.0]}), ours) is None
