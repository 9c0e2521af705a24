import warnings

from tvm_patdnn.cli.plain_warnings import plain_warnings


def test_a_warning_is_a_line(capsys):
    before = warnings.showwarning
    with plain_warnings(quiet=False):
        warnings.warn("first\n  second", stacklevel=1)
    assert capsys.readouterr().err == "tvm-patdnn: warning: first second\n"
    assert warnings.showwarning is before


def test_quiet(capsys, recwarn):
    with plain_warnings(quiet=True):
        warnings.warn("nothing", stacklevel=1)
    assert capsys.readouterr().err == ""
    assert not recwarn
