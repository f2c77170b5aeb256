"""Times of quantization on one thread, each beside its target.

python benchmarks/ptq_speed.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

import quantleak as ql
from ptq_accuracy import resnet
from quantleak.ptq.solvers import Gram, Grid, Penalty, learn_rounding, obq
from quantleak.threads import one_thread

BATCHES = "adaround:3?batch=32"


def timed(what: str, target: float | None, job: Callable[[], object]) -> None:
    start = time.perf_counter()
    job()
    print(f"| {what} | {time.perf_counter() - start:.2f} | {target or 'none'} |", flush=True)


def layer(rows: int, columns: int, data: int) -> tuple[torch.Tensor, Callable[[], Gram]]:
    """A weight, and what sums its Gram matrices."""
    inputs, weight = torch.randn(1, columns, data), torch.randn(1, rows, columns)
    outputs = weight @ inputs
    return weight, lambda: Gram.empty(1, rows, columns, torch.device("cpu")).plus(inputs, outputs, 512)


def main() -> None:
    torch.manual_seed(0)
    print("| what | seconds | target |\n| --- | --- | --- |")
    with one_thread():
        many = torch.randn(1, 2400, 4608)
        timed("round to nearest, 11 M weights, minmax", 0.5, lambda: Grid.search(many, 16, span="minmax").nearest(many))
        timed("round to nearest, 11 M weights, searched", 8, lambda: Grid.search(many, 16).nearest(many))
        weight, summed = layer(512, 4608, 8192)
        timed("Hessian of 8,192 columns, 4,608 x 4,608", 5, summed)
        gram, grid = summed(), Grid.search(weight, 8)
        timed("OBQ in fixed order, 512 x 4,608", 20, lambda: obq(weight, gram.hessian, grid))
        small, summed = layer(64, 576, 32768)
        gram, grid = summed(), Grid.search(small, 8)
        obq(small[:, :1], gram.hessian, Grid(8, grid.scale[:, :1], grid.zero[:, :1]), order="greedy")  # compiles
        timed("OBQ in fixed order, 64 x 576", 0.2, lambda: obq(small, gram.hessian, grid))
        timed("OBQ, greedy, 64 x 576", 15, lambda: obq(small, gram.hessian, grid, order="greedy"))
        penalty = Penalty(weight=0.01, steps=2000)
        timed("AdaRound, 2,000 steps, 64 x 576, Gram", 10, lambda: learn_rounding(small, gram, grid, penalty))
    for size in (8, 32):
        convolution, inputs = torch.nn.Conv2d(64, 64, 3, padding=1), torch.randn(512, 64, size, size)
        what = f"AdaRound, 2,000 steps, 64 x 576, batches of 32 images of {size} x {size}"
        timed(what, 20 if size == 8 else None, lambda c=convolution, x=inputs: ql.quantize(c, BATCHES, calibration=x))
    network, images = resnet((1, 2, 4, 8), 64, 2).eval(), torch.randn(512, 3, 32, 32)
    timed("OBQ of a ResNet-18, 512 images", 240, lambda: ql.quantize(network, "obq:3?head=8", calibration=images))


if __name__ == "__main__":
    main()
