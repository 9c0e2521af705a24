"""Everything this package raises on purpose.

Catch ``PatDNNError`` to catch all of it. A message says where the problem is, what is
wrong with its value, what was expected and what to do.
"""

__all__ = [
    "BenchError",
    "BuildError",
    "DeviceError",
    "LibraryError",
    "ModelError",
    "PatDNNError",
    "PlotError",
    "PruningError",
    "QuantizationError",
    "TargetError",
    "TrainingError",
    "TuningError",
]


class PatDNNError(Exception):
    """The common base."""


class ModelError(PatDNNError):
    """The ONNX model is broken, incomplete, or uses something not supported."""


class TargetError(PatDNNError):
    """The target to compile for is unknown or contradicts itself."""


class BuildError(PatDNNError):
    """A model could not be compiled, linked or written."""


class LibraryError(PatDNNError):
    """A built library could not be loaded or run."""


class DeviceError(PatDNNError):
    """A device cannot be reached, or is not what is expected."""


class PruningError(PatDNNError):
    """A model could not be pruned as asked."""


class QuantizationError(PatDNNError):
    """A model could not be quantised."""


class TrainingError(PatDNNError):
    """A training run cannot be started, continued or used, or its data cannot be read."""


class TuningError(PatDNNError):
    """A tuning run failed, or its records cannot be used."""


class PlotError(PatDNNError):
    """A plot cannot be drawn."""


class BenchError(PatDNNError):
    """A comparison cannot be run, or its results cannot be read."""
