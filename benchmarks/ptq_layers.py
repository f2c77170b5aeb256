"""Layer errors and times of OBQ and AdaRound beside brevitas, on the same layers, inputs and number of levels.

    python benchmarks/ptq_layers.py --data-dir FOLDER --peer PYTHON [--out FILE.md]

PYTHON has brevitas 0.13 in an environment of its own (`pip install brevitas safetensors torch==2.13.0`). Layers
are those of the ResNet-8 of `ptq_accuracy.py`, inputs its own on 512 training images. The error is
`||Q X - W X||^2 / N`, summed over layers; both are given inputs of the trained network.
One thread each, one after the other in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import quantleak as ql
from ptq_accuracy import CALIBRATION, MEMBERS, images, trained
from quantleak.ptq.modules.trace import executed

FOLDER = Path("out/ptq/layers")
BITS = (4, 3, 2)
LEARNED = ("3.conv2", "4.conv2", "5.conv2")
"""Layers whose rounding is learned as well: 16 x 144, 32 x 288, 64 x 576."""
RULES = {
    "rtn": "rtn:{bits}",
    "OBQ, columns as they stand": "obq:{bits}?order=columns&asymmetric=false",
    "OBQ, by diagonal": "obq:{bits}?asymmetric=false",
    "OBQ, greedy": "obq:{bits}?order=greedy&asymmetric=false",
    "AdaRound, Gram": "adaround:{bits}?asymmetric=false",
    "AdaRound, batches": "adaround:{bits}?asymmetric=false&batch=32",
}


def layers(data: Path) -> dict[str, tuple[nn.Module, Tensor]]:
    """Every convolution and linear layer with its inputs."""
    inputs, classes = images(data / "train.parquet", MEMBERS)
    model = trained(inputs, classes)
    runs = executed(model, inputs[:CALIBRATION])
    parts = {name: (model.get_submodule(name), first) for name, first, _ in runs}
    return {n: (p, x) for n, (p, x) in parts.items() if isinstance(p, (nn.Conv2d, nn.Linear)) and x is not None}


@torch.no_grad()
def error(layer: nn.Module, made: nn.Module, inputs: Tensor) -> float:
    return float((made(inputs) - layer(inputs)).double().square().sum()) / len(inputs)


def ours(chosen: dict[str, tuple[nn.Module, Tensor]]) -> dict[str, dict[str, dict[str, float]]]:
    """By rule and bits, `seconds` and `error` over layers."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for rule, spec in RULES.items():
        names = LEARNED if rule.startswith("AdaRound") else tuple(chosen)
        for bits in BITS:
            seconds = total = 0.0
            for name in names:
                layer, inputs = chosen[name]
                start = time.perf_counter()
                made = ql.quantize(layer, spec.format(bits=bits), calibration=inputs)
                seconds += time.perf_counter() - start
                total += error(layer, made, inputs)
            found.setdefault(rule, {})[str(bits)] = {"seconds": seconds, "error": total}
            print(rule, bits, found[rule][str(bits)], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    chosen = layers(given.data_dir)
    ql.quantize(nn.Linear(4, 4), "obq:4?order=greedy", calibration=torch.randn(9, 4))  # compiles the loop
    found = ours(chosen)
    if given.peer:
        FOLDER.mkdir(parents=True, exist_ok=True)
        described = {}
        for name, (layer, inputs) in chosen.items():
            tensors = {"weight": layer.weight.detach().contiguous(), "inputs": inputs.contiguous()}
            save_file(tensors, FOLDER / f"{name}.safetensors")
            convolution = isinstance(layer, nn.Conv2d)
            options = {"stride": layer.stride[0], "padding": layer.padding[0]} if convolution else {}
            described[name] = options
        (FOLDER / "layers.json").write_text(json.dumps(described))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        script = Path(__file__).with_name("ptq_peer.py")
        subprocess.run([given.peer, "-W", "ignore", script, FOLDER, *map(str, BITS)], check=True, env=environment)
        found |= json.loads((FOLDER / "peer.json").read_text())
    lines = ["| rule | " + " | ".join(f"error, {bits} bits" for bits in BITS) + " | seconds |"]
    lines += ["| --- |" + " --- |" * (len(BITS) + 1)]
    for rule, by_bits in found.items():
        errors = " | ".join(f"{by_bits[str(bits)]['error']:.4g}" for bits in BITS)
        lines.append(f"| {rule} | {errors} | {sum(one['seconds'] for one in by_bits.values()) / len(BITS):.1f} |")
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
