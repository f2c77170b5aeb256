"""The other half of `ptq_layers.py`: brevitas on the saved layers, run by the interpreter of its own environment.

    PYTHON benchmarks/ptq_peer.py FOLDER 4 3 2

Writes `peer.json`. Weights are quantized asymmetrically per output channel, by brevitas' search of the range with the
smallest squared error; activations stay float. Its learned rounding is not compared: it left 17 values per channel at 4
bits when it was tried.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import brevitas.nn as qnn
import torch
from brevitas.graph.gptq import gptq_mode
from brevitas.quant import ShiftedUint8WeightPerChannelFloatMSE
from safetensors.torch import load_file
from torch import Tensor, nn

GRID = ShiftedUint8WeightPerChannelFloatMSE
BATCH = 64


def layer(weight: Tensor, options: dict, bits: int) -> nn.Module:
    shared = {"bias": False, "weight_quant": GRID, "weight_bit_width": bits}
    if weight.ndim == 2:
        made = qnn.QuantLinear(weight.shape[1], weight.shape[0], **shared)
    else:
        made = qnn.QuantConv2d(weight.shape[1], weight.shape[0], weight.shape[2], **options, **shared)
    with torch.no_grad():
        made.weight.copy_(weight)
    return made.eval()


class Wrapped(nn.Module):
    """A network of one layer, as brevitas wants it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def gptq(made: nn.Module, inputs: Tensor, act_order: bool) -> None:
    with torch.no_grad(), gptq_mode(made, use_quant_activations=False, act_order=act_order) as mode:
        for _ in range(mode.num_layers):
            for batch in inputs.split(BATCH):
                mode.model(batch)
            mode.update()


METHODS = {
    "GPTQ": lambda made, inputs: gptq(made, inputs, False),
    "GPTQ, act_order": lambda made, inputs: gptq(made, inputs, True),
}


def main() -> None:
    folder, widths = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
    torch.set_num_threads(1)
    described = json.loads((folder / "layers.json").read_text())
    found: dict[str, dict[str, dict[str, float]]] = {}
    for method, run in METHODS.items():
        for bits in widths:
            seconds = total = 0.0
            for name, options in described.items():
                tensors = load_file(folder / f"{name}.safetensors")
                weight, inputs = tensors["weight"], tensors["inputs"]
                torch.manual_seed(0)
                start = time.perf_counter()
                made = Wrapped(layer(weight, options, bits))
                with torch.no_grad():
                    made(inputs[:BATCH])  # fixes the grid
                run(made, inputs)
                seconds += time.perf_counter() - start
                with torch.no_grad():
                    values = made.inner.quant_weight().value
                    if weight.ndim == 2:
                        wanted, got = inputs @ weight.T, inputs @ values.T
                    else:
                        wanted = nn.functional.conv2d(inputs, weight, **options)
                        got = nn.functional.conv2d(inputs, values, **options)
                    total += float((got - wanted).double().square().sum()) / len(inputs)
                    levels = max(len(row.unique()) for row in values)
                assert levels <= 2**bits, levels
            found.setdefault(f"brevitas {method}", {})[str(bits)] = {"seconds": seconds, "error": total}
            print(method, bits, found[f"brevitas {method}"][str(bits)], flush=True)
    (folder / "peer.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
