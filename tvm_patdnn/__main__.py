"""``python -m tvm_patdnn`` is the command ``tvm-patdnn``."""

import sys

from tvm_patdnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
