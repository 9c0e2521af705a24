"""Made-up rows."""

from tvm_patdnn.training.rows import TrainRow


def row(**changes) -> TrainRow:
    values = {
        **{"network": "models.resnet:resnet20", "data": "CIFAR-10 (JPEG)", "method": "admm"},
        **{"seed": 0, "train_images": 50000, "test_images": 10000, "scope": "layer"},
        **{"patterns": 8, "entries": 4, "connectivity": 3.6},
        **{"dense_epochs": 10, "prune_epochs": 6, "retrain_epochs": 4},
        **{"top1_dense": 90.0, "top5_dense": 99.0, "top1_projected": 70.0},
        **{"top1_pruned": 89.5, "top5_pruned": 99.0, "compression_macs": 7.47},
        **{"compression_weights": 7.92, "compression_3x3": 8.1, "dense_macs": 40812544},
        **{"kept_macs": 5461820, "seconds": 100.0, "device": "a CPU", "threads": 2},
        **{"date": "2026-11-22T08:00:00+00:00", "command": "tvm-patdnn train --method admm"},
        **changes,
    }
    return TrainRow(**values)


def dense(**changes) -> TrainRow:
    plain = {"compression_macs": 1.0, "compression_weights": 1.0, "compression_3x3": 1.0}
    return row(**{"method": "dense", "top1_pruned": 90.4, **plain, **changes})
