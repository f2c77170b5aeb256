"""Seconds that an epoch of images takes through the serial trainer, and in a plain loop of the same run.

    python benchmarks/fleet_images.py --data-dir FOLDER [--images 5000] [--repeats 3] [--out FILE.md]

FOLDER holds `train.parquet` of CIFAR-10 in the layout of the Hugging Face Hub. A ResNet-8 of widths 16-32-64 and one of
32-64-128, minibatches of 128, SGD with momentum, one thread. Trainer and loop take turns and the fastest epoch of each
counts, so that what else a machine does weighs on both; other numbers of images are scaled to 5,000.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from quantleak.fleet import TRAINERS, Fleet, Training, augment, optimizer
from quantleak.models import network

EPOCH, BATCH, RATE, MOMENTUM, DECAY = 5000, 128, 0.05, 0.9, 5e-4
MODELS = {"16-32-64": "resnet:8", "32-64-128": "resnet:8?width=32"}


def images(path: Path, count: int) -> tuple[Tensor, Tensor]:
    """Standardised images `[N, 3, 32, 32]` and their classes."""
    table = pq.read_table(path).slice(0, count)
    pixels = [np.asarray(Image.open(io.BytesIO(row["bytes"])).convert("RGB")) for row in table["img"].to_pylist()]
    inputs = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float().contiguous() / 255
    mean, spread = inputs.mean((0, 2, 3), keepdim=True), inputs.std((0, 2, 3), keepdim=True)
    return (inputs - mean) / spread, torch.from_numpy(table["label"].to_numpy().copy())


def through_trainer(spec: str, data: tuple[Tensor, Tensor], epochs: int, precision: str, transforms: str) -> Fleet:
    steps = optimizer(f"sgd:{RATE}?momentum={MOMENTUM}&weight_decay={DECAY}")
    return Fleet(
        network=network(spec, tuple(data[0].shape[1:]), 10),
        task="multiclass",
        features=data[0],
        targets=data[1],
        members=(np.arange(len(data[0])),),
        training=Training(
            epochs=epochs,
            batch=BATCH,
            optimizer=steps,
            precision="bfloat16" if precision == "bfloat16" else "float32",
            augment=augment(transforms),
        ),
    )


def plain_loop(spec: str, data: tuple[Tensor, Tensor], precision: str, layout: torch.memory_format) -> Iterator[None]:
    """An epoch each time that it is advanced, as anyone would write it."""
    inputs, classes = data
    module = network(spec, tuple(inputs.shape[1:]), 10).module(seed=0).train()
    module.to(memory_format=layout)
    steps = torch.optim.SGD(module.parameters(), RATE, MOMENTUM, weight_decay=DECAY, fused=True)
    while True:
        for rows in torch.randperm(len(inputs)).split(BATCH):
            batch = inputs[rows].contiguous(memory_format=layout)
            with torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else nullcontext():
                outputs = module(batch)
            steps.zero_grad()
            F.cross_entropy(outputs.float(), classes[rows]).backward()
            steps.step()
        yield


def fastest(turns: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The shortest time of each, after one turn to warm up; all take turns."""
    found = dict.fromkeys(turns, float("inf"))
    for turn in range(repeats + 1):
        for name, one in turns.items():
            start = time.perf_counter()
            one()
            seconds = time.perf_counter() - start
            found[name] = min(found[name], seconds) if turn else found[name]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--images", type=int, default=EPOCH)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = images(given.data_dir / "train.parquet", given.images)
    lines = [
        "| widths | loop, float32 | loop, float32 channels-last | trainer, float32 | loop, bfloat16 channels-last "
        "| trainer, bfloat16 | trainer, bfloat16, flip and crop | trainer / loop, float32 | bfloat16 |",
        "| --- |" + " --- |" * 8,
    ]
    for widths, spec in MODELS.items():
        loops = {
            "contiguous": plain_loop(spec, data, "float32", torch.contiguous_format),
            "float32": plain_loop(spec, data, "float32", torch.channels_last),
            "trainer float32": advancing(through_trainer(spec, data, given.repeats + 2, "float32", "")),
            "bfloat16": plain_loop(spec, data, "bfloat16", torch.channels_last),
            "trainer bfloat16": advancing(through_trainer(spec, data, given.repeats + 2, "bfloat16", "")),
            "augmented": advancing(through_trainer(spec, data, given.repeats + 2, "bfloat16", "flip,crop:4")),
        }
        turns: dict[str, Callable[[], object]] = {name: one.__next__ for name, one in loops.items()}
        found = {name: EPOCH / len(data[0]) * each for name, each in fastest(turns, given.repeats).items()}
        ratios = [found[f"trainer {precision}"] / found[precision] for precision in ("float32", "bfloat16")]
        cells = [*(f"{one:.2f} s" for one in found.values()), *(f"{one:.2f}" for one in ratios)]
        lines.append(f"| {widths} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


def advancing(fleet: Fleet) -> Iterator[object]:
    return TRAINERS["serial"].train(fleet.blocks()[0])


if __name__ == "__main__":
    main()
