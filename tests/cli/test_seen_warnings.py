import logging

from tvm_patdnn.cli.seen_warnings import seen_warnings

LOG = logging.getLogger("tvm_patdnn.importing")


def test_warnings_are_remembered_and_shown(caplog):
    with seen_warnings(quiet=False) as seen:
        LOG.warning("%s is odd", "this")
        LOG.info("nothing")
    LOG.warning("later")
    assert seen == ["this is odd"]
    assert "this is odd" in caplog.text


def test_they_are_on_stderr_where_nobody_has_set_up_logging(capsys, monkeypatch):
    monkeypatch.setattr(logging.root, "handlers", [])
    with seen_warnings(quiet=False):
        LOG.warning("odd")
    assert capsys.readouterr().err == "odd\n"


def test_quiet_is_without(caplog):
    with seen_warnings(quiet=True) as seen:
        LOG.warning("odd")
    LOG.warning("later")
    assert seen == []
    assert "odd" not in caplog.text
    assert "later" in caplog.text
