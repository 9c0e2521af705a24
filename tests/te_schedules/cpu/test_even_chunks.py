import pytest

from te_schedules.cpu.even_chunks import even_chunks


@pytest.mark.parametrize(
    ("tasks", "most", "cores", "chunks"),
    [
        (8, 8, 4, 1),  # two for each core already
        (1, 8, 4, 4),
        (3, 8, 2, 2),  # three tasks leave one of two cores idle; six do not
        (21, 8, 2, 1),  # within the time that threads may wait
        (1, 3, 4, 3),  # never even: as many as there are
    ],
)
def test_the_fewest_that_keep_cores_busy(tasks, most, cores, chunks):
    assert even_chunks(tasks, most, cores) == chunks
