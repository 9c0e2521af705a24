"""The Bayer network of Gharbi et al., "Deep Joint Demosaicking and Denoising" (2016)."""

from __future__ import annotations

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

__all__ = ["BayerDemosaic", "load_weights", "store_weights"]

_DEPTH = 15
_WIDTH = 64


class BayerDemosaic(nn.Module):
    """Fills in the two colours that each pixel of a Bayer mosaic lacks.

    2x2 pixels are packed into channels, 15 convolutions work at half resolution, and one
    more at full resolution. Parameter names are those of the original weights.
    """

    def __init__(self) -> None:
        """Creates the layers; see :func:`load_weights`."""
        super().__init__()
        self.pack = nn.Conv2d(3, 4, 2, stride=2)
        widths = [4, *[_WIDTH] * (_DEPTH - 1), 2 * _WIDTH]
        self.main_processor = nn.ModuleDict(
            {
                f"conv{i + 1}": nn.Conv2d(widths[i], widths[i + 1], 3, padding=1)
                for i in range(_DEPTH)
            }
        )
        self.residual = nn.Conv2d(_WIDTH, 12, 1)
        self.up = nn.ConvTranspose2d(12, 3, 2, stride=2, groups=3)
        self.fullres_processor = nn.ModuleDict(
            {"post_conv": nn.Conv2d(6, _WIDTH, 3, padding=1), "output": nn.Conv2d(_WIDTH, 3, 1)}
        )

    def half_resolution(self) -> list[nn.Conv2d]:
        """Returns the 15 convolutions between packing and unpacking, in order."""
        return [conv for conv in self.main_processor.values() if isinstance(conv, nn.Conv2d)]

    def forward(self, mosaic: Tensor) -> Tensor:
        """Maps mosaics to images, both (n, 3, h, w) in 0..1 with even h and w."""
        x = self.pack(mosaic)
        for conv in self.half_resolution():
            x = conv(x).relu()
        features, gate = x.chunk(2, dim=1)
        rough = self.up(self.residual(features * gate))
        x = self.fullres_processor["post_conv"](torch.cat([mosaic, rough], dim=1)).relu()
        image: Tensor = self.fullres_processor["output"](x)
        return image


def load_weights(model: onnx.ModelProto) -> BayerDemosaic:
    """Builds the network with the weights of its ONNX file, dense or pruned."""
    network = BayerDemosaic()
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    network.load_state_dict({n: torch.tensor(stored[n]) for n in network.state_dict()})
    return network


def store_weights(network: BayerDemosaic, model: onnx.ModelProto) -> None:
    """Writes the network's weights into ``model``, an ONNX file of the same network."""
    weights = network.state_dict()
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            tensor.CopyFrom(numpy_helper.from_array(weights[tensor.name].numpy(), tensor.name))
