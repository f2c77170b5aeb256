"""Every kind of layer is the product of its weight's matrix with the columns of its inputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from quantleak.ptq.modules import chunks, columns, rows, weights_of

LAYERS = {
    "linear": (nn.Linear(5, 7), (5,)),
    "linear, no bias": (nn.Linear(5, 7, bias=False), (5,)),
    "linear on sequences": (nn.Linear(5, 7), (4, 5)),
    "1 x 1": (nn.Conv2d(3, 4, 1), (3, 6, 6)),
    "plain": (nn.Conv2d(3, 4, 3, padding=1), (3, 6, 7)),
    "strided": (nn.Conv2d(3, 4, (3, 2), stride=(2, 1)), (3, 8, 9)),
    "dilated": (nn.Conv2d(3, 4, 3, dilation=2, padding=2), (3, 8, 8)),
    "grouped": (nn.Conv2d(4, 6, 3, groups=2, padding=1), (4, 5, 5)),
    "depthwise": (nn.Conv2d(4, 4, 3, groups=4, bias=False), (4, 5, 5)),
    "same": (nn.Conv2d(3, 4, (5, 3), padding="same"), (3, 6, 6)),
    "reflected": (nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), (3, 6, 6)),
    "circular": (nn.Conv1d(3, 4, 3, padding=2, padding_mode="circular"), (3, 9)),
    "one axis": (nn.Conv1d(3, 4, 3, stride=2), (3, 9)),
    "three axes": (nn.Conv3d(2, 3, 2, padding=1), (2, 4, 3, 5)),
    "transposed": (nn.ConvTranspose2d(3, 4, 3), (3, 5, 5)),
    "transposed, strided": (nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), (3, 5, 4)),
    "transposed, grouped": (nn.ConvTranspose2d(4, 6, (2, 3), stride=(1, 2), groups=2, dilation=2), (4, 5, 6)),
    "transposed, much padding": (nn.ConvTranspose1d(3, 4, 2, padding=3), (3, 12)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_output_is_the_matrix_times_the_columns(name: str) -> None:
    layer, shape = LAYERS[name]
    (weight,) = weights_of(layer)
    inputs = torch.randn(6, *shape)
    with torch.no_grad():
        outputs = layer(inputs)
    matrix = weight.matrix(layer.weight.detach())
    wanted = rows(layer, weight, outputs)
    torch.testing.assert_close(matrix @ columns(layer, weight, inputs), wanted, atol=1e-5, rtol=1e-5)
    assert torch.equal(weight.weight(matrix), layer.weight)
    assert matrix.shape[0] * matrix.shape[1] == weight.rows
    assert matrix.numel() == weight.count


@pytest.mark.parametrize("name", LAYERS)
def test_chunks_are_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, shape = LAYERS[name]
    (weight,) = weights_of(layer)
    inputs = torch.randn(7, *shape)
    outputs = layer(inputs).detach()
    monkeypatch.setattr("quantleak.ptq.modules.unfold.CHUNK", 1500)
    monkeypatch.setattr("quantleak.ptq.modules.unfold.MOST", 1500)
    parts = list(chunks(layer, weight, inputs, outputs))
    assert sum(part[2] for part in parts) == 7
    whole = columns(layer, weight, inputs)
    product = whole @ whole.mT
    summed = sum((part[0] @ part[0].mT for part in parts), torch.zeros_like(product))
    torch.testing.assert_close(summed, product, rtol=1e-4, atol=1e-4)
    most = max(part[0].numel() / part[2] for part in parts)
    assert all(part[0].numel() <= max(1500, most) * 1.01 for part in parts)


def test_one_image_without_a_batch_axis() -> None:
    layer = nn.Conv2d(3, 4, 3)
    (weight,) = weights_of(layer)
    image = torch.randn(3, 6, 6)
    found = weight.matrix(layer.weight.detach()) @ columns(layer, weight, image)
    torch.testing.assert_close(found, rows(layer, weight, layer(image).detach()), atol=1e-5, rtol=1e-5)
