from tvm_patdnn.bench.markdown import file_name, link, table_lines


def test_a_table_has_numbers_to_the_right():
    assert table_lines([("layer", "ms", "x", ""), ("a", "1", "2", "b")]) == [
        "| layer | ms | x |  |",
        "| --- | ---: | ---: | --- |",
        "| a | 1 | 2 | b |",
    ]


def test_a_bar_in_a_cell_breaks_no_table():
    assert table_lines([("a", "b"), ("c | d", "e")])[-1] == r"| c \| d | e |"


def test_names_of_files_and_links():
    assert file_name("VGG-16 256->256@56x56 by threads", ".svg") == (
        "vgg-16-256-256-56x56-by-threads.svg"
    )
    assert link("a page", "pages/a.md") == "[a page](pages/a.md)"
