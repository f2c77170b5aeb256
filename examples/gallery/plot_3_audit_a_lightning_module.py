"""
Audit your LightningModule
==========================

A fleet of your own module, trained by its own steps, quantized and attacked; and r_Q of a single run through a callback
(this needs Lightning: ``pip install 'quantleak[lightning]'``).
"""

# %%
# The module is yours. For an audit it is made by a function of the shape of one example and the number of outputs;
# batches are ``(features, targets)``, and ``forward`` gives the logits.
import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import quantleak as ql
from quantleak.integrations.lightning import QuantizationPrivacyCallback
from quantleak.trajectory import TrajectoryTracker


class Classifier(lightning.LightningModule):
    """A perceptron with its own optimizer and schedule."""

    def __init__(self, shape, outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(shape[0], 16), nn.ReLU(), nn.Linear(16, outputs))

    def forward(self, features):
        return self.layers(features)

    def training_step(self, batch, index):
        features, targets = batch
        return nn.functional.binary_cross_entropy_with_logits(self(features)[:, 0], targets)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-2)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.95)]


# %%
# The audit. Here the class stands in the script itself, ``__main__``; write the name of your module in its place.
result = ql.audit(
    ql.bundled("breast_cancer"),
    model="__main__:Classifier",
    quantizers=("sign", "uniform:4"),
    models=4,
    epochs=3,
    workers=1,
)
result

# %%
# Without a fleet: r_Q of the one run that you train anyway, by adding one callback. The number does not move training.
rng = torch.Generator().manual_seed(0)
features = torch.randn(600, 8, generator=rng)
targets = (features[:, 0] + 0.5 * torch.randn(600, generator=rng) > 0).float()
train = DataLoader(TensorDataset(features[:300], targets[:300]), batch_size=32, shuffle=True)
validation = DataLoader(TensorDataset(features[300:], targets[300:]), batch_size=300)

tracker = TrajectoryTracker(loss="binary", quantizers=["sign", "ternary:0.5", "uniform:4"])
trainer = lightning.Trainer(
    max_epochs=5,
    accelerator="cpu",
    callbacks=[QuantizationPrivacyCallback(tracker, loader=validation)],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Classifier((8,), 1), train)
tracker.compute()

# %%
# z below 2 says that 300 validation examples cannot distinguish the best element from its closest competitor: one
# run of so small a model ranks nothing. Compare medians over several runs, at equal numbers of validation examples.
