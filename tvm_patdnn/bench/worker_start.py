"""Starts ``worker`` by path, in an environment where this package is not installed.

Putting the package's parent folder on the path would let everything that is installed
beside it in, so a stand-in for the package is made that finds nothing but its own modules.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

if __name__ == "__main__":
    package = ModuleType("tvm_patdnn")
    package.__path__ = [str(Path(__file__).resolve().parent.parent)]
    sys.modules["tvm_patdnn"] = package
    sys.path.pop(0)  # this folder
    import_module("tvm_patdnn.bench.worker").main()
