import threading

from tvm_patdnn.library.slow_notice import said_if_slow


def test_a_long_wait_is_said_once(caplog):
    said = threading.Event()
    caplog.handler.addFilter(lambda record: said.set() or True)
    with said_if_slow("model.so: the driver compiles", seconds=0.01):
        assert said.wait(60)
    assert caplog.messages == ["model.so: the driver compiles"]


def test_a_short_one_is_not(caplog):
    with said_if_slow("model.so: the driver compiles", seconds=3600):
        pass
    assert not caplog.messages
    assert not [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
