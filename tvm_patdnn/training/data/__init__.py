"""Image data sets: which forms there are, and how one is opened."""

from tvm_patdnn.training.data.images import DataSet, MemoryImages
from tvm_patdnn.training.data.opening import open_data
from tvm_patdnn.training.data.source import ImageSource

__all__ = ["DataSet", "ImageSource", "MemoryImages", "open_data"]
