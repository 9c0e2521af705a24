"""Packs the modules that need no TVM, under their own names, out of the checkout around it."""

import shutil
from pathlib import Path

from setuptools import setup

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = Path("build") / "sources"
MODULES = (
    "__init__",
    "__main__",
    "cli/__init__",
    "cli/arguments",
    "cli/device_options",
    "cli/entry",
    "cli/image_options",
    "cli/read_input",
    "cli/run",
    "cli/run_inputs",
    "cli/seen_warnings",
    "cli/show_outputs",
    "cli/signals",
    "cli/without_torch",
    "error_lines",
    "errors",
    "evaluation/__init__",
    "evaluation/labelled_folder",
    "evaluation/random_inputs",
    "layer_report",
    "library/__init__",
    "library/elf",
    "library/fresh_name",
    "library/image_facts",
    "library/input_arrays",
    "library/interface",
    "library/loading",
    "library/metadata",
    "library/model_inputs",
    "library/report",
    "library/seal",
    "library/slow_notice",
    "library/standalone_model",
    "machine/__init__",
    "machine/cores",
    "machine/host_cpu",
    "machine/triples",
    "progress",
    "tensor_spec",
    "whole_file",
)

shutil.rmtree(SOURCES, ignore_errors=True)
for module in MODULES:
    target = SOURCES / "tvm_patdnn" / f"{module}.py"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CHECKOUT / "tvm_patdnn" / f"{module}.py", target)
shutil.copyfile(CHECKOUT / "tvm_patdnn" / "py.typed", SOURCES / "tvm_patdnn" / "py.typed")

setup(
    packages=[
        "tvm_patdnn",
        *("tvm_patdnn.cli", "tvm_patdnn.evaluation", "tvm_patdnn.library", "tvm_patdnn.machine"),
    ],
    package_dir={"": str(SOURCES)},
    package_data={"tvm_patdnn": ["py.typed"]},
)
