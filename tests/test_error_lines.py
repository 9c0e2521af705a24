from tvm_patdnn.error_lines import first_line, last_line


def test_lines_of_what_an_error_says():
    error = RuntimeError("\n what failed\nwhere\nwhy \n")
    assert (first_line(error), last_line(error)) == ("what failed", "why")


def test_an_error_that_says_nothing_is_its_class():
    assert first_line(KeyError()) == last_line(KeyError()) == "KeyError"
