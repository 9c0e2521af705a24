"""Finds the network in what other tools wrapped around it, and what cannot be pruned in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

from tvm_patdnn.errors import TrainingError

__all__ = ["check_ordinary_weights", "check_whole", "uncompiled", "unwrapped"]


def unwrapped(model: nn.Module) -> nn.Module:
    """Returns the network in ``DataParallel``, ``DistributedDataParallel``, ``torch.compile``.

    Its parameters are those of the wrapper, so training through the wrapper trains it.
    """
    while True:
        if isinstance(model, DataParallel | DistributedDataParallel):
            model = model.module
        elif "_orig_mod" in dict(model.named_children()):  # what torch.compile returns
            model = model.get_submodule("_orig_mod")
        else:
            return model


@contextmanager
def uncompiled(model: nn.Module) -> Iterator[None]:
    """Lets parts that ``torch.compile`` or ``Module.compile`` made faster run as they are written.

    Tracers, such as the exporter's, cannot look into what is compiled.
    """
    before = []
    for module in model.modules():
        if getattr(module, "_compiled_call_impl", None) is not None:
            before.append((module, "_compiled_call_impl", module._compiled_call_impl))
            module._compiled_call_impl = None
        if "_orig_mod" in dict(module.named_children()):
            before.append((module, "forward", module.forward))
            module.forward = module.get_submodule("_orig_mod").__call__
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def check_whole(model: nn.Module) -> None:
    """Checks that every parameter is there, and whole.

    Raises:
        TrainingError: one is lazy, or its parts are on several machines.
    """
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise TrainingError(f"{name}: has no shape yet; run one batch through the model first")
        if hasattr(parameter, "device_mesh") or name.endswith("_flat_param"):
            raise TrainingError(
                f"{name}: is one of several parts (FSDP); expected whole weights; prune with "
                "DistributedDataParallel, or on one device"
            )


def check_ordinary_weights(model: nn.Module, names: Iterable[str]) -> None:
    """Checks that the weights of layers are parameters, not computed from some.

    Args:
        names: paths of the layers in ``model``.

    Raises:
        TrainingError: one is computed, as by weight norm; zeros would not stay.
    """
    for name in names:
        module = model.get_submodule(name)
        if "weight" in dict(module.named_parameters(recurse=False)):
            continue
        sources = [each for each, _ in module.named_parameters() if each != "bias"]
        raise TrainingError(
            f"{name}.weight: is computed from {', '.join(sources) or 'other values'}; expected a "
            f"parameter; {_remedy(sources)} first, or name the layer in skip_layers"
        )


def _remedy(sources: list[str]) -> str:
    if any(source.startswith("parametrizations.") for source in sources):
        return "call torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')"
    if "weight_g" in sources:
        return "call torch.nn.utils.remove_weight_norm(layer)"
    if "weight_orig" in sources:
        return "call torch.nn.utils.prune.remove(layer, 'weight') or remove_spectral_norm(layer)"
    return "make it one"
