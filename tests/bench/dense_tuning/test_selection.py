import tvm

from tests.bench.dense_tuning.samples import conv_shape, dense_record
from tvm_patdnn.bench.dense_tuning.selection import MARGIN, select_records
from tvm_patdnn.machine.host_cpu import host_cpu

TRACE = [["any"], []]


def test_what_is_faster_by_more_than_the_margin_is_tuned():
    clear = dense_record(trace=TRACE, tuned_s=1.0, ours_s=1.01 + MARGIN)
    narrow = dense_record(shape=conv_shape(groups=2), tuned_s=1.0, ours_s=0.99 + MARGIN)
    slower = dense_record(shape=conv_shape(groups=4), tuned_s=2.0, ours_s=1.0)
    useless = dense_record(shape=conv_shape(groups=8), trace=None, tuned_s=None)
    selection = select_records([clear, narrow, slower, useless], host_cpu(), 2)
    assert selection.tuned == {clear.shape: TRACE}
    assert selection.ours == 3
    assert selection.facts() == {
        "records": 4,
        "records_where_tuned_is_faster": 1,
        "ignored_records": {},
    }


def test_records_of_other_cpus_and_versions_are_ignored_and_counted():
    records = [
        dense_record(cpu="i386"),
        dense_record(cpu="i386", shape=conv_shape(groups=2)),
        dense_record(tvm="0.1"),
    ]
    selection = select_records(records, host_cpu(), 2)
    assert selection.tuned == {}
    assert selection.facts()["ignored_records"] == {
        f"measured on i386, this is {host_cpu()}": 2,
        f"of TVM 0.1, this is {tvm.__version__}": 1,
    }


def test_the_record_of_the_nearest_number_of_threads_counts():
    records = [
        dense_record(threads=4, trace=["four"]),
        dense_record(threads=1, trace=["one"]),
        dense_record(threads=16, tuned_s=9.0),
    ]
    for threads, trace in ((1, ["one"]), (2, ["one"]), (4, ["four"]), (8, ["four"])):
        assert select_records(records, host_cpu(), threads).tuned == {conv_shape(): trace}
    assert select_records(records, host_cpu(), 16).tuned == {}
