import subprocess

import pytest

from tests.built import library, require_linker
from tvm_patdnn.library.cross_compile import c_compiler
from tvm_patdnn.standalone.c_literals import c_floats, c_string

TEXTS = ["x", "", 'a "quoted" name', "back\\slash", "what??/n", "größe/0:漢字", "tab\tline\n", "%d"]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a C program says of the literals."""
    require_linker(library())
    folder = tmp_path_factory.mktemp("literals")
    printed = "".join(
        f"fwrite({c_string(text)}, 1, sizeof {c_string(text)}, stdout);" for text in TEXTS
    )
    (folder / "a.c").write_text(f"#include <stdio.h>\nint main(void) {{ {printed} return 0; }}\n")
    compiler = c_compiler(library().target).command
    subprocess.run([*compiler, "-x", "c", "-trigraphs", "a.c", "-o", "a"], cwd=folder, check=True)
    return subprocess.run([folder / "a"], capture_output=True, check=True).stdout


def test_a_compiler_reads_the_same_text(said):
    assert said == b"".join(text.encode() + b"\0" for text in TEXTS)


def test_only_plain_ascii_is_written():
    assert all(c_string(text).isascii() and c_string(text).isprintable() for text in TEXTS)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), "0"), ((0.4913, 1), "0.4913f, 1.0f"), ((1e-7, -2.5), "1e-07f, -2.5f")],
)
def test_floats(numbers, text):
    assert c_floats(numbers) == text
