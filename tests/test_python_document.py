import runpy
from pathlib import Path

import pytest

import tvm_patdnn

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_is_what_the_docstrings_say():
    pytest.importorskip("torch")
    written = runpy.run_path(str(DOCS / "write_python_page.py"))["page"]()
    assert (DOCS / "python.md").read_text() == written, "run docs/write_python_page.py"


def test_every_public_name_is_there():
    text = (DOCS / "python.md").read_text()
    assert [name for name in tvm_patdnn.__all__ if f"{name}`" not in text] == []
