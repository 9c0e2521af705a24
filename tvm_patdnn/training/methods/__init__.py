"""The pruning methods, by the name that the options give them."""

from collections.abc import Mapping

from tvm_patdnn.training.methods.admm import Admm
from tvm_patdnn.training.methods.base import Masks, PruningMethod, Residual
from tvm_patdnn.training.methods.filters import Filters
from tvm_patdnn.training.methods.gradual import Gradual
from tvm_patdnn.training.methods.immediate import Dense, OneShot
from tvm_patdnn.training.methods.reweighted import Reweighted
from tvm_patdnn.training.methods.unstructured import Unstructured
from tvm_patdnn.training.options import Method

__all__ = ["METHOD_CLASSES", "Masks", "PruningMethod", "Residual"]

METHOD_CLASSES: Mapping[Method, type[PruningMethod]] = {
    "admm": Admm,
    "oneshot": OneShot,
    "gradual": Gradual,
    "reweighted": Reweighted,
    "unstructured": Unstructured,
    "filter": Filters,
    "dense": Dense,
}
