"""arcface_torch's networks as their state dicts name them, run by torch: what an import is compared with.

A state dict holds no code, so the forward pass stands here: functional, straight over the tensors.
"""

import numpy as np

from kerasface.zoo.importer.state_dict import import_torch

__all__ = ["TorchNetwork"]

_EPSILON = 1e-5


class TorchNetwork:
    """A state dict that can be run.

    Args:
        tensors: dict of name to array, from `read_state_dict`.
        arch: "iresnet…" or "mbf".

    Call arguments:
        pixels: (N, H, W, 3) float32, prepared.

    Returns:
        (N, D) float32.

    Reference:
        insightface, recognition/arcface_torch, backbones.
    """

    runtime = "torch"

    def __init__(self, tensors, arch):
        self.torch = import_torch()
        # torch warns of arrays that can't be written to, which those of safetensors files are.
        writable = {name: np.require(values, requirements="W") for name, values in tensors.items()}
        self.tensors = {name: self.torch.from_numpy(values) for name, values in writable.items()}
        self.forward = self._mbf if arch == "mbf" else self._iresnet

    def __call__(self, pixels):
        """Embeds prepared pictures."""
        with self.torch.inference_mode():
            x = self.torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
            return self.forward(x).numpy()

    def _iresnet(self, x):
        x = self._prelu(self._normalized(self._convolved(x, "conv1"), "bn1"), "prelu")
        for stage in range(1, 5):
            for block in range(self._count(f"layer{stage}")):
                name, stride = f"layer{stage}.{block}", 2 if block == 0 else 1
                y = self._convolved(self._normalized(x, f"{name}.bn1"), f"{name}.conv1")
                y = self._prelu(self._normalized(y, f"{name}.bn2"), f"{name}.prelu")
                y = self._normalized(self._convolved(y, f"{name}.conv2", stride), f"{name}.bn3")
                if f"{name}.downsample.0.weight" in self.tensors:
                    x = self._normalized(self._convolved(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
                x = x + y
        x = self._normalized(x, "bn2").flatten(1)
        return self._normalized(self._dense(x, "fc"), "features")

    def _mbf(self, x):
        x = self._unit(x, "layers.0", stride=2)
        x = self._unit(x, "layers.1")
        for layer in range(2, self._count("layers")):
            if layer % 2 == 0:
                x = self._bottleneck(x, f"layers.{layer}", stride=2)
                continue
            for block in range(self._count(f"layers.{layer}.layers")):
                x = x + self._bottleneck(x, f"layers.{layer}.layers.{block}")
        x = self._unit(x, "conv_sep")
        x = self._linear(x, "features.layers.0", padding=0).flatten(1)
        return self._normalized(self._dense(x, "features.layers.2"), "features.layers.3")

    def _bottleneck(self, x, name, stride=1):
        x = self._unit(x, f"{name}.layers.0")
        x = self._unit(x, f"{name}.layers.1", stride)
        return self._linear(x, f"{name}.layers.2")

    def _unit(self, x, name, stride=1):
        return self._prelu(self._linear(x, name, stride), f"{name}.layers.2")

    def _linear(self, x, name, stride=1, padding=None):
        return self._normalized(self._convolved(x, f"{name}.layers.0", stride, padding), f"{name}.layers.1")

    def _convolved(self, x, name, stride=1, padding=None):
        kernel = self.tensors[f"{name}.weight"]
        padding = kernel.shape[-1] // 2 if padding is None else padding
        groups = x.shape[1] // kernel.shape[1]
        return self.torch.nn.functional.conv2d(x, kernel, None, stride, padding, groups=groups)

    def _normalized(self, x, name):
        mean, variance, gamma, beta = (
            self.tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return self.torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, eps=_EPSILON)

    def _prelu(self, x, name):
        return self.torch.nn.functional.prelu(x, self.tensors[f"{name}.weight"])

    def _dense(self, x, name):
        return self.torch.nn.functional.linear(x, self.tensors[f"{name}.weight"], self.tensors.get(f"{name}.bias"))

    def _count(self, prefix):
        """How many numbered modules there are under a name."""
        return len({name[len(prefix) + 1 :].split(".")[0] for name in self.tensors if name.startswith(f"{prefix}.")})
