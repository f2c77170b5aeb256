"""A scikit-learn perceptron as a torch module, so that it can be tracked and quantized."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
}


class Perceptron(nn.Module):
    """Linear layers with an activation between them; inputs are cast to the dtype of the weights.

    Attributes:
        layers: The layers, in order.
        linear: Those with weights.
    """

    def __init__(self, sizes: list[int], activation: str, dtype: torch.dtype) -> None:
        super().__init__()
        made: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            made += [nn.Linear(inputs, outputs, dtype=dtype), _ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*made[:-1])
        self.linear = [layer for layer in made if isinstance(layer, nn.Linear)]

    def forward(self, features: Tensor) -> Tensor:
        """Logits or predictions [B, outputs] of features [B, inputs]."""
        found: Tensor = self.layers(features.to(next(self.parameters()).dtype))
        return found


def from_sklearn(estimator: Any) -> nn.Module:
    """The torch module of a fitted `MLPClassifier` or `MLPRegressor`, with copies of its weights.

    A classifier's module returns logits: `sigmoid` of the one column for two classes (and for each label of a
    multilabel problem), `softmax` over the columns for more, equals `predict_proba` up to rounding; labels are
    positions in `classes_`. A regressor's module returns the prediction, one column an output. Dtype is the
    estimator's.

    Args:
        estimator: Fitted, perhaps by `partial_fit`; the last step of a pipeline, which gets transformed features.

    Raises:
        InputError: Another estimator, one that is not fitted, or a regressor with Poisson loss, whose prediction is not
            linear in its last layer.

    Example:
        >>> from sklearn.neural_network import MLPRegressor
        >>> fitted = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs").fit([[0.0], [1.0]], [0.0, 1.0])
        >>> from_sklearn(fitted)(torch.zeros(5, 1)).shape
        torch.Size([5, 1])
    """
    name = type(estimator).__name__
    if not all(hasattr(estimator, method) for method in ("partial_fit", "hidden_layer_sizes", "activation")):
        raise InputError(
            f"from_sklearn takes an MLPClassifier or MLPRegressor, got {name}; of a pipeline, its last step."
        )
    if not hasattr(estimator, "coefs_"):
        raise InputError(f"This {name} is not fitted yet; call fit or partial_fit first.")
    if estimator.out_activation_ not in ("identity", "logistic", "softmax"):
        raise InputError(
            f"This {name} ends in '{estimator.out_activation_}', which has no module here; use loss='squared_error'."
        )
    weights = [torch.from_numpy(array.T.copy()) for array in estimator.coefs_]
    biases = [torch.from_numpy(array.copy()) for array in estimator.intercepts_]
    sizes = [weights[0].shape[1], *(len(weight) for weight in weights)]
    module = Perceptron(sizes, estimator.activation, weights[0].dtype)
    with torch.no_grad():
        for layer, weight, bias in zip(module.linear, weights, biases, strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
    return module
