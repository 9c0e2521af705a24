"""What docs/android.md shows compiles; what docs/deploy.md shows of C, too."""

import re
import shutil

import tvm_patdnn
from tests.aarch64.emulated_device import COMPILER
from tests.built import network
from tests.standalone.programs import ROOT, flag, run, shipped

WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fPIC"]


def blocks(document, language):
    """The blocks of code in a document."""
    text = (ROOT / "docs" / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_the_native_side_of_an_app(tmp_path):
    compiler = flag("cc")
    shipped().export_standalone(tmp_path / "model.o")
    _compile_native_side(compiler, tmp_path)
    link = ["-shared", "app.o", "model.o", "-lm", "-lpthread", "-o", "libapp.so"]
    run([compiler, *link, "-Wl,--no-undefined"], tmp_path)


def test_what_an_app_is_made_of_compiles_for_its_cpu(tmp_path):
    """With a GNU compiler for the same CPU; the NDK's has the same functions."""
    compiler = flag(COMPILER.replace("g++", "gcc"))
    lib = tvm_patdnn.build(network(), "android-arm64", lazy=True)
    lib.export_standalone(tmp_path / "model")
    run([compiler, *WARNINGS, "-c", "model.c", "-o", "model.o"], tmp_path / "model")
    shutil.copyfile(tmp_path / "model" / "model.h", tmp_path / "model.h")
    _compile_native_side(compiler, tmp_path)


def _compile_native_side(compiler, folder):
    (code,) = blocks("android.md", "c")
    (folder / "app.c").write_text(code)
    jni = ROOT / "tests" / "standalone"
    run([compiler, *WARNINGS, f"-I{jni}", "-I.", "-c", "app.c", "-o", "app.o"], folder)


def test_the_interface_as_shown(tmp_path):
    shipped().export_standalone(tmp_path / "model.a")
    (code,) = blocks("deploy.md", "c")
    (tmp_path / "shown.c").write_text(
        '#include "model.h"\n#include <stdio.h>\n'
        f"int main(void) {{\n  static float image[3072], scores[10];\n{code}\n  return code;\n}}\n"
    )
    line = [flag("cc"), "-std=c11", "-Wall", "-Werror", "shown.c", "model.a", "-lm", "-lpthread"]
    run([*line, "-o", "shown"], tmp_path)
    run([tmp_path / "shown"], tmp_path)


def test_documents_name_files_that_exist():
    for document in ("deploy.md", "raspberry-pi.md", "android.md"):
        text = (ROOT / "docs" / document).read_text()
        for name in re.findall(r"(?:examples|models)/[\w./-]*\w", text):
            assert (ROOT / name).exists(), f"{document}: {name}"
        for name in re.findall(r"\]\(([\w-]+\.md)\)", text):
            assert (ROOT / "docs" / name).exists(), f"{document}: {name}"
