"""Training many models at once, against one at a time: ratios, all timed in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from quantleak.data import Mixture
from quantleak.engines import InOneThread, Local
from quantleak.fleet import TRAINERS, Block, Fleet, Training, optimizer
from quantleak.models import network
from quantleak.ptq import Elementwise
from quantleak.quantizers import PAPER_A, quantizer
from quantleak.trajectory.recorder import Recorder, validation_losses

MODELS, EXAMPLES, BATCH, EPOCHS, VALIDATION = 300, 128, 32, 3000, 1000
ADAM = "adam:1e-4"


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    target: str
    met: bool


def seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def linear_fleet(first: int, models: int, epochs: int = EPOCHS) -> Fleet:
    """Models of the synthetic study, each on fresh data of its own."""
    drawn = Mixture(seed=0).sample(models * EXAMPLES, np.random.default_rng([1, first]))
    return Fleet(
        network=network("linear?bias=false", (256,), 1),
        task="binary",
        features=torch.from_numpy(drawn.features),
        targets=torch.from_numpy(drawn.labels),
        members=tuple(np.arange(m * EXAMPLES, (m + 1) * EXAMPLES) for m in range(models)),
        training=Training(epochs=epochs, batch=BATCH, optimizer=optimizer(ADAM)),
        seed=first,
        block=32,
    )


def train_block(shared: None, *, first: int, trainer: str, score: bool) -> tuple[float, float]:
    """Train one block; with `score` also quantize and score eight quantizers at every epoch. Seconds of both parts."""
    models = min(32, MODELS - first)
    block: Block = linear_fleet(first, models).blocks()[0]
    recorder = None
    if score:
        validation = Mixture(seed=0).sample(VALIDATION, np.random.default_rng(2))
        losses = validation_losses(
            block.fleet.network, "binary", torch.from_numpy(validation.features), torch.from_numpy(validation.labels)
        )
        recorder = Recorder(losses, block.layout, [Elementwise(rule=quantizer(spec)) for spec in PAPER_A[:-1]], models)
    start, scoring = time.perf_counter(), 0.0
    for checkpoint in TRAINERS[trainer].train(block):
        if recorder is not None:
            before = time.perf_counter()
            recorder.update(checkpoint.flat)
            scoring += time.perf_counter() - before
    trained = time.perf_counter() - start - scoring
    if recorder is not None:
        scoring += seconds(recorder.rates)
    return trained, scoring


def our_seconds(trainer: str = "compiled", *, score: bool) -> tuple[float, float]:
    """300 models in two workers of one thread: the whole time with the start of the workers, and that of scoring.

    Scoring is a sum over blocks in two workers, of which each holds half.
    """
    jobs = {
        str(first): InOneThread(partial(train_block, first=first, trainer=trainer, score=score))
        for first in range(0, MODELS, 32)
    }
    start = time.perf_counter()
    parts = np.array([result for _, result in Local(workers=2).run(jobs)])
    return time.perf_counter() - start, float(parts[:, 1].sum() / 2)


def plain_loop(model: int, make_optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam) -> None:
    """One model as a script would train it."""
    fleet = linear_fleet(model, 1)
    features, targets = fleet.features, fleet.targets.float()
    module = nn.Linear(256, 1, bias=False)
    optimizer = make_optimizer(module.parameters(), lr=1e-4)
    for _ in range(EPOCHS):
        for rows in torch.randperm(EXAMPLES).split(BATCH):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(module(features[rows])[:, 0], targets[rows]).backward()
            optimizer.step()


def lightning_fit(model: int) -> None:
    """One model as a Lightning user would train it, with validation at every epoch."""
    import lightning
    from torch.utils.data import DataLoader, TensorDataset

    class Classifier(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(256, 1, bias=False)

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return nn.functional.binary_cross_entropy_with_logits(self.layer(batch[0])[:, 0], batch[1])

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            nn.functional.binary_cross_entropy_with_logits(self.layer(batch[0])[:, 0], batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=1e-4)

    fleet = linear_fleet(model, 1)
    validation = Mixture(seed=0).sample(VALIDATION, np.random.default_rng(2))
    train = TensorDataset(fleet.features, fleet.targets.float())
    held = TensorDataset(torch.from_numpy(validation.features), torch.from_numpy(validation.labels).float())
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(
        Classifier(), DataLoader(train, batch_size=BATCH, shuffle=True), DataLoader(held, batch_size=VALIDATION)
    )


def linear_rows() -> list[Row]:
    torch.set_num_threads(1)
    our_seconds(score=False)  # compiles the loop, once for this processor
    ours, _ = our_seconds(score=False)
    stacked, _ = our_seconds("stacked", score=False)
    plain = sum(seconds(lambda m=m: plain_loop(m)) for m in range(3)) / 3 * MODELS
    fused = (
        sum(seconds(lambda m=m: plain_loop(m, partial(torch.optim.Adam, fused=True))) for m in range(3)) / 3 * MODELS
    )
    fit = sum(seconds(lambda m=m: lightning_fit(m)) for m in range(3)) / 3 * MODELS
    share = our_seconds("stacked", score=True)[1] / stacked
    what = f"{MODELS} linear models, {EXAMPLES} x 256, batch {BATCH}, {EPOCHS} epochs, two workers, against"
    lightning, loop = f"{fit / ours:.0f} times", f"{plain / ours:.0f} times (with fused Adam {fused / ours:.0f})"
    scored = "quantize and score 8 quantizers at every epoch, as a share of training by batched tensor operations"
    return [
        Row(f"{what} a Lightning fit with validation at a time", lightning, ">= 150 times", fit >= 150 * ours),
        Row(f"{what} a plain PyTorch loop", loop, ">= 20 times", plain >= 20 * ours),
        Row(f"{what} batched tensor operations", f"{stacked / ours:.1f} times", ">= 3 times", stacked >= 3 * ours),
        Row(scored, f"{share:.0%}", "<= 75%", share <= 0.75),
    ]


def perceptron_row(rounds: int = 7, epochs: int = 10) -> Row:
    """32 perceptrons 1024-128-1 against a loop of modules; the median over alternating rounds."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    examples, models = 1024, 32
    fleet = Fleet(
        network=network("mlp:128", (1024,), 1),
        task="binary",
        features=torch.from_numpy(random.normal(size=(2 * examples, 1024)).astype(np.float32)),
        targets=torch.from_numpy(random.integers(0, 2, 2 * examples)),
        members=tuple(random.permutation(2 * examples)[:examples] for _ in range(models)),
        training=Training(epochs=epochs, batch=128, evaluate_every=epochs),
        block=models,
    )
    steps = epochs * examples // 128 * models
    flops = 4 * 128 * 1024 * 128  # forward and weight gradient of the wide layer
    matrix = torch.randn(1024, 1024)
    ratios, shares = [], []
    for _ in range(rounds):
        # All three side by side in every round: a neighbour's load then slows each of them.
        ours = seconds(lambda: list(TRAINERS["stacked"].train(fleet.blocks()[0]))) / steps
        product = np.median([seconds(lambda: matrix @ matrix) for _ in range(20)])
        theirs = seconds(lambda: _loop_of_modules(fleet)) / steps
        ratios.append(theirs / ours)
        shares.append(flops / ours / (2 * 1024**3 / product))
    ratio, share = float(np.median(ratios)), float(np.median(shares))
    return Row(
        "32 perceptrons 1024-128-1, batch 128, against a loop of modules with fused Adam, one thread",
        f"{ratio:.2f} times, {share:.1%} of the float32 matrix-product rate",
        ">= 1.5 times, >= 45%",
        ratio >= 1.5 and share >= 0.45,
    )


def _loop_of_modules(fleet: Fleet) -> None:
    targets = fleet.targets.float()
    for number, members in enumerate(fleet.members):
        module = fleet.network.module(number)
        optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
        rows = torch.from_numpy(members)
        for _ in range(fleet.training.epochs):
            for drawn in rows[torch.randperm(len(rows))].split(128):
                optimizer.zero_grad()
                outputs = module(fleet.features[drawn])[:, 0]
                nn.functional.binary_cross_entropy_with_logits(outputs, targets[drawn]).backward()
                optimizer.step()
