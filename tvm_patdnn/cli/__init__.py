"""The command ``tvm-patdnn``: one module per sub-command, listed in ``entry``.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

from tvm_patdnn.cli.entry import main

__all__ = ["main"]
