import pytest

from tvm_patdnn.cli.typed_command import resuming, stored


def test_folders_are_not_stored():
    assert stored(["train", "--data", "/home/a/my data", "-q"]) == (
        "tvm-patdnn train --data 'my data' -q"
    )


@pytest.mark.parametrize("given", [[], ["--resume"], ["--overwrite"], ["--ove"]])
def test_the_command_that_goes_on(given):
    words = ["train", "-o", "my run", "--overall", "1"]
    assert resuming([*words, *given]) == "tvm-patdnn train -o 'my run' --overall 1 --resume"
