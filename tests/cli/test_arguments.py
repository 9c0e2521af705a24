import argparse

import pytest

from tvm_patdnn.cli.arguments import (
    input_file,
    input_shape,
    layer_rate,
    numbers,
    pattern_choice,
    positive,
    rewind_choice,
)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (input_shape, "x:1,3,224,224", ("x", [1, 3, 224, 224])),
        (input_shape, "input:0:7", ("input:0", [7])),
        (input_file, "x=image.png", ("x", "image.png")),
        (input_file, "x=a=b.npy", ("x", "a=b.npy")),
        (layer_rate, "conv1=2.5", ("conv1", 2.5)),
        (layer_rate, "a=b=1", ("a=b", 1.0)),
        (numbers, "0.5", [0.5]),
        (numbers, "1,-2,3e1", [1.0, -2.0, 30.0]),
        (positive, "12", 12),
        (pattern_choice, "12", 12),
        (pattern_choice, "all", "all"),
        (rewind_choice, "0", 0),
        (rewind_choice, "fresh", "fresh"),
    ],
)
def test_reads(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        *(
            (input_shape, text, "is not an input shape; expected NAME:SIZES such as x:1,3,224,224")
            for text in ("", "x", "x:", ":1,2", "1,3,224,224", "x:1,N", "x:1,0", "x:1,-1", "x:1x3")
        ),
        *(
            (
                input_file,
                text,
                "is not an input; expected NAME=FILE such as x=image.png or x=array.npy",
            )
            for text in ("", "image.png", "x=", "=image.png")
        ),
        *(
            (layer_rate, text, "is not a layer's rate; expected NAME=RATE such as conv1=2.5")
            for text in ("", "conv1", "conv1=", "conv1=x", "=2")
        ),
        (numbers, "1,,2", "'1,,2': expected a number, or one per channel such as 0.485,0.456"),
        *(
            (positive, text, f"'{text}': expected a whole number of at least 1")
            for text in ("0", "-1", "1.5", "")
        ),
        (pattern_choice, "most", "'most': expected a number of patterns to mine, or all"),
        (rewind_choice, "early", "'early': expected a number of epochs, or fresh"),
    ],
)
def test_refuses(read, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        read(text)
