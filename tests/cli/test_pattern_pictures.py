from types import SimpleNamespace

from tvm_patdnn.cli.pattern_pictures import count_patterns, draw_patterns


def layer(kernel_shape, **counts):
    return SimpleNamespace(
        kernel_shape=kernel_shape, patterns=list(counts), pattern_counts=list(counts.values())
    )


def test_counts_over_layers_by_kernel_shape():
    layers = [
        layer([2, 2], **{"#./##": 2, "##/##": 9, "#./#.": 1}),
        layer([1, 1], **{"#": 5}),
        layer([2, 2], **{"#./#.": 4}),
        layer([1, 2], **{"#.": 7}),
    ]
    counts = count_patterns(layers)
    assert counts == {(1, 2): {"#.": 7}, (2, 2): {"#./#.": 5, "#./##": 2}}
    assert list(counts[2, 2]) == ["#./#.", "#./##"]


def test_draws_each_above_its_count():
    assert draw_patterns({"#./##": 1234, "##/.#": 5}).splitlines() == [
        "  #.     ##",
        "  ##     .#",
        "  1,234  5",
    ]


def test_many_patterns_are_summed_up():
    counts = {f"{bits:05b}".replace("0", ".").replace("1", "#"): 20 - bits for bits in range(1, 20)}
    lines = draw_patterns(counts).splitlines()
    assert len(lines) == 5  # two rows of eight, and the rest
    assert lines[-1] == "and 3 more patterns of 6 kernels"
