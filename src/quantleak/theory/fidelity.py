"""How much of a model's answers its quantized version keeps: a ranking of quantizers that needs one model."""

from __future__ import annotations

from torch import Tensor

from quantleak.errors import InputError


def fidelity(quantized: Tensor, original: Tensor) -> Tensor:
    r"""Correlation between the outputs of a quantized model and of the original on fresh examples.

    .. math:: F = \frac{\sum_i \bar f_i f_i}{\sqrt{\sum_i \bar f_i^2 \sum_i f_i^2}}

    with :math:`f_i` the original's output (logit) on example i and :math:`\bar f_i` the quantized model's, each less
    its mean over the examples. If quantization acts on the outputs as a scale and a noise that knows nothing of the
    training set, :math:`\bar f = a f + \epsilon`, then whatever sets members apart in f is seen through a channel of
    correlation F: in units of the spread of the outputs the members' shift is F times that of the original. The lower
    F, the weaker an attack that reads outputs. It ranks quantizers of one training procedure; it says nothing about the
    leakage of the original, and an attack that reads the weights is outside its argument.

    Args:
        quantized: Outputs `[..., examples]`; of a classifier with several outputs, the entry of each example's label.
        original: The same of the original model; leading axes broadcast.

    Returns:
        float64 `[...]` in [-1, 1]; NaN where the outputs of one are constant.

    Raises:
        InputError: If the numbers of examples differ, or are less than 2.

    Example:
        >>> import torch
        >>> float(fidelity(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 20.0, 30.0])))
        1.0
    """
    if quantized.shape[-1] != original.shape[-1] or quantized.shape[-1] < 2:
        raise InputError(
            f"fidelity needs outputs on the same examples, at least 2, got shapes {tuple(quantized.shape)} and "
            f"{tuple(original.shape)}."
        )
    one, two = (outputs.double() - outputs.double().mean(-1, keepdim=True) for outputs in (quantized, original))
    return (one * two).sum(-1) / (one.square().sum(-1) * two.square().sum(-1)).sqrt()
