"""Ends a pool of processes at any moment, also while its calls are under way."""

from __future__ import annotations

from contextlib import suppress

from tvm.support.popen_pool import PopenPoolExecutor, kill_child_processes

__all__ = ["close_pool"]


def close_pool(pool: PopenPoolExecutor) -> None:
    """Lets go of the calls that wait, and kills the processes.

    The pool's own ``shutdown`` does not end while a call is under way: it closes a pipe first, for
    which it waits until the thread that reads from it has its answer. Interrupted, it keeps the
    lock that the pool's destructor then waits for.
    """
    pool._shutdown = True  # nothing is left to its destructor
    pool._threadpool.shutdown(wait=False, cancel_futures=True)
    for worker in list(pool._worker_map.values()):
        process = worker._proc
        if process is not None:
            with suppress(Exception):  # it may end by itself just now
                kill_child_processes(process.pid)
                process.kill()
