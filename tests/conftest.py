"""What holds for all tests."""

import os

os.environ["TVM_PATDNN_CACHE"] = ""  # a build in a test is a build, in its processes, too
