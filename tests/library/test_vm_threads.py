import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import tvm_ffi

from tests.built import inputs, library
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.machine.threads import VARIABLE


def used() -> int:
    """Threads that TVM's pool of this thread uses."""
    return tvm_ffi.get_global_func("runtime.NumThreads")()


def test_each_model_has_its_own_number():
    every = library().runnable
    one = RunnableModel(library()._executable, num_threads=1)

    def run(model):
        return model.run(inputs())["y"], used()

    for pool in (run, lambda model: ThreadPoolExecutor(1).submit(run, model).result()):
        first, all_threads = pool(every)
        second, threads = pool(one)
        assert (first == second).all()
        assert threads == 1
        assert pool(every)[1] == all_threads == int(os.environ[VARIABLE])


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_impossible_numbers(count):
    with pytest.raises(
        LibraryError, match=rf"num_threads={count}: expected 1 to \d+; .* {VARIABLE}"
    ):
        RunnableModel(library()._executable, num_threads=count)
