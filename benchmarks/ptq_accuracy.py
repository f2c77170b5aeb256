"""Test accuracy of a quantized ResNet-8: every rule at 4, 3 and 2 bits and ternary, the head at 8 bits.

    python benchmarks/ptq_accuracy.py --data-dir FOLDER [--out FILE.md] [--only obq]

FOLDER holds `train.parquet` and `test.parquet` of CIFAR-10 in the layout of the Hugging Face Hub. It is trained on the
first 5,000 images (its weights are kept in `out/ptq/`), calibrated on 512 of them, and tested on all 10,000 test
images. One thread.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import quantleak as ql
from quantleak.models import BasicBlock

MEMBERS, CALIBRATION, EPOCHS = 5000, 512, 40
WIDTHS = ("4", "3", "2", "ternary")
RULES = {
    "rtn": "",
    "rtn, minmax": "range=minmax",
    "obq": "",
    "obq, symmetric, columns as they stand": "asymmetric=false&order=columns",
    "obq, symmetric": "asymmetric=false",
    "adaround": "",
    "brecq": "",
    "brecq, mse": "loss=mse",
}
KEPT = Path("out/ptq/resnet8.pt")


def resnet(stages: Sequence[int], width: int, blocks: int, classes: int = 10) -> nn.Module:
    """A residual network for images of 32 x 32: ResNet-8 is `(1, 2, 4)`, 16, 1; ResNet-18 `(1, 2, 4, 8)`, 64, 2."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    inputs = width
    for place, factor in enumerate(stages):
        for block in range(blocks):
            layers.append(BasicBlock(inputs, width * factor, 2 if place and not block else 1))
            inputs = width * factor
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def images(path: Path, count: int | None = None) -> tuple[Tensor, Tensor]:
    """Standardised images `[N, 3, 32, 32]` and their classes."""
    table = pq.read_table(path).slice(0, count)
    pixels = [np.asarray(Image.open(io.BytesIO(row["bytes"])).convert("RGB")) for row in table["img"].to_pylist()]
    inputs = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
    mean, spread = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.247, 0.2435, 0.2616])
    return (inputs - mean[:, None, None]) / spread[:, None, None], torch.from_numpy(table["label"].to_numpy())


def trained(inputs: Tensor, classes: Tensor) -> nn.Module:
    """The network after training by SGD on a cosine schedule, with flips and crops."""
    torch.manual_seed(0)
    model = resnet((1, 2, 4), 16, 1)
    if KEPT.exists():
        model.load_state_dict(torch.load(KEPT, weights_only=True))
        return model.eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(inputs)).split(128):
            batch = F.pad(inputs[rows], (4, 4, 4, 4))
            i, j = torch.randint(9, (2,)).tolist()
            batch = batch[..., i : i + 32, j : j + 32]
            batch = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, batch.flip(-1), batch)
            loss = F.cross_entropy(model(batch), classes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}", flush=True)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), KEPT)
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, inputs: Tensor, classes: Tensor) -> float:
    return torch.cat([model(part).argmax(-1) for part in inputs.split(500)]).eq(classes).double().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--head", default="8")
    given = parser.parse_args()
    torch.set_num_threads(1)
    inputs, classes = images(given.data_dir / "train.parquet", MEMBERS)
    model = trained(inputs, classes)
    test = images(given.data_dir / "test.parquet")
    lines = [f"Float: {accuracy(model, *test):.4f}", "", "| rule | " + " | ".join(WIDTHS) + " | seconds |"]
    lines += ["| --- |" + " --- |" * (len(WIDTHS) + 1)]
    for name, options in RULES.items():
        if given.only not in name:
            continue
        start = time.perf_counter()
        found = []
        for width in WIDTHS:
            spec = f"{name.split(',')[0]}:{width}?head={given.head}" + (f"&{options}" if options else "")
            made = ql.quantize(model, spec, calibration=inputs[:CALIBRATION])
            found.append(accuracy(made, *test))
        seconds = (time.perf_counter() - start) / len(WIDTHS)
        lines.append(f"| {name} | " + " | ".join(f"{value:.4f}" for value in found) + f" | {seconds:.1f} |")
        print(lines[-1], flush=True)
    print("\n".join(lines))
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
