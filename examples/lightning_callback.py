"""Audit your LightningModule by adding one callback: r_Q of eight quantizers, from the run you train anyway.

python examples/lightning_callback.py
"""

import lightning
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from quantleak.integrations.lightning import QuantizationPrivacyCallback
from quantleak.trajectory import TrajectoryTracker


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.BatchNorm1d(30), nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.layers(x)

    def loss(self, batch):
        return nn.functional.binary_cross_entropy_with_logits(self(batch[0])[:, 0], batch[1])

    def training_step(self, batch, _):
        return self.loss(batch)

    def validation_step(self, batch, _):
        self.log("validation_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


lightning.seed_everything(0)
features, targets = load_breast_cancer(return_X_y=True)
data = TensorDataset(torch.tensor(features).float(), torch.tensor(targets).float())
train, validation = random_split(data, [369, 200])

tracker = TrajectoryTracker(loss="binary")
trainer = lightning.Trainer(max_epochs=20, accelerator="cpu", callbacks=[QuantizationPrivacyCallback(tracker)])
trainer.fit(Classifier(), DataLoader(train, batch_size=32, shuffle=True), DataLoader(validation, batch_size=200))
print(tracker.compute())
