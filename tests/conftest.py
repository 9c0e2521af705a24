"""What holds for all tests."""

import os

os.environ["TVM_PATDNN_CACHE"] = ""  # a build in a test is a build, in its processes, too
os.environ["TVM_PATDNN_LOGS"] = ""  # nor do records decide that were measured on its machine
# TVM's threads look for work so often before they sleep that a process on a busy machine, where
# each look is another's turn, takes minutes to end.
os.environ.setdefault("TVM_THREAD_POOL_SPIN_COUNT", "1000")
