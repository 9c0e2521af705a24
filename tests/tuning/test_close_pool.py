import os
import threading
import time
from concurrent.futures import CancelledError

import pytest
from tvm.support.popen_pool import PopenPoolExecutor, PopenWorker

from tvm_patdnn.tuning.close_pool import close_pool


@pytest.fixture
def begun(monkeypatch):
    """Is set as soon as a process has been given a call."""
    event, send = threading.Event(), PopenWorker.send

    def note(*args, **kwargs):
        send(*args, **kwargs)
        event.set()

    monkeypatch.setattr(PopenWorker, "send", note)
    return event


def test_calls_under_way_and_calls_that_wait(begun):
    """A call that would take an hour ends at once, and what waits never begins."""
    pool = PopenPoolExecutor(1)
    first, second = (pool.submit(time.sleep, 3600) for _ in range(2))
    assert begun.wait(120)
    closer = threading.Thread(target=close_pool, args=[pool], daemon=True)
    closer.start()
    closer.join(120)
    assert not closer.is_alive()
    with pytest.raises(CancelledError):
        second.result(120)
    with pytest.raises(ChildProcessError):
        first.result(120)
    for thread in pool._threadpool._threads:  # as the interpreter does when it ends
        thread.join(120)
        assert not thread.is_alive()


def test_nothing_is_left_to_the_destructor(monkeypatch):
    pool = PopenPoolExecutor(1)
    assert pool.submit(os.getpid).result(120) != os.getpid()
    close_pool(pool)
    monkeypatch.setattr(pool, "shutdown", lambda wait: pytest.fail("it was shut down again"))
    pool.__del__()
    close_pool(pool)
