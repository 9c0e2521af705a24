from collections.abc import Iterator

import pytest
import torch

from tests.training.tiny import made_data, tiny_net
from tvm_patdnn.training.data.images import DataSet


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keeps torch to one thread, and every test to random numbers of its own."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keeps decoded images out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def net() -> torch.nn.Module:
    return tiny_net()


@pytest.fixture
def data() -> DataSet:
    return made_data()
