"""Pruning: pattern mining, projections, and one-shot pruning of ONNX files.

The projections are pure functions on numpy arrays; nothing here needs torch or TVM.
"""

from tvm_patdnn.pruning.balanced_connectivity import balanced_connectivity_mask
from tvm_patdnn.pruning.connectivity import connectivity_mask, project_connectivity
from tvm_patdnn.pruning.global_connectivity import global_connectivity_masks
from tvm_patdnn.pruning.mining import (
    candidate_patterns,
    count_natural_patterns,
    mine_patterns,
    natural_masks,
)
from tvm_patdnn.pruning.one_shot import prune_onnx, prune_onnx_with_report
from tvm_patdnn.pruning.options import PruneOptions
from tvm_patdnn.pruning.pattern_projection import (
    nearest_patterns,
    pattern_mask,
    project_patterns,
)
from tvm_patdnn.pruning.report import PrunedLayer, format_table

__all__ = [
    "PruneOptions",
    "PrunedLayer",
    "balanced_connectivity_mask",
    "candidate_patterns",
    "connectivity_mask",
    "count_natural_patterns",
    "format_table",
    "global_connectivity_masks",
    "mine_patterns",
    "natural_masks",
    "nearest_patterns",
    "pattern_mask",
    "project_connectivity",
    "project_patterns",
    "prune_onnx",
    "prune_onnx_with_report",
]
