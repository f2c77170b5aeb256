"""The compiled loop of :mod:`quantleak.fleet.compiled`: many epochs of linear models, one model after the other.

Batched tensor operations move every minibatch through memory three times and cost ten calls a step; here a model's
examples, parameters and moments stay in a core's cache for many epochs.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np

from quantleak.jit import kept, reordered

BINARY, REGRESSION = 0, 1
SGD, ADAM, ADAMW, NESTEROV = 0, 1, 2, 3


@kept
@no_type_check
def train_linear(
    features, targets, task, order, edges, optimizer, rates, momentum, decay, parameters, first, second, step, seen
):
    """Train some epochs on; everything float32 but `order` and `edges`.

    Args:
        features: `[examples, inputs]`.
        targets: `[examples]`.
        task: `BINARY` or `REGRESSION`.
        order: Rows of the minibatches, `[models, epochs, members]`.
        edges: Where each model's minibatches begin and end in `order`, `[models, steps + 1]`.
        optimizer: `SGD`, `ADAM`, `ADAMW` or `NESTEROV`, with torch's meaning of the next three.
        rates: Learning rate of each epoch, `[epochs]`.
        momentum: Of SGD.
        decay: Weight decay.
        parameters: `[models, P]`, weights and then the bias if there is one; overwritten.
        first: The first moment or SGD's momentum `[models, P]`; overwritten.
        second: The second moment `[models, P]`; overwritten.
        step: Steps taken before.
        seen: `[epochs, models, P]`; receives the parameters after every epoch.
    """
    for model in range(len(parameters)):
        own, taken = parameters[model], step
        gradient = np.empty_like(own)
        for epoch in range(order.shape[1]):
            rows, rate = order[model, epoch], rates[epoch]
            for batch in range(edges.shape[1] - 1):
                drawn = rows[edges[model, batch] : edges[model, batch + 1]]
                _gradient(features, targets, task, drawn, own, gradient)
                taken += 1
                _update(optimizer, rate, momentum, decay, taken, own, gradient, first[model], second[model])
            seen[epoch, model] = own


@reordered
@no_type_check
def _gradient(features, targets, task, rows, own, gradient):
    """Gradient of the mean loss over a minibatch, four examples at a time: each visit of the parameters serves four."""
    inputs, last = features.shape[1], len(rows) - 1
    biased = len(own) > inputs
    gradient[:] = 0
    for i in range(0, len(rows), 4):
        r0, r1, r2, r3 = rows[i], rows[min(i + 1, last)], rows[min(i + 2, last)], rows[min(i + 3, last)]
        x0, x1, x2, x3 = features[r0], features[r1], features[r2], features[r3]
        z0 = z1 = z2 = z3 = own[inputs] if biased else np.float32(0)
        for p in range(inputs):
            w = own[p]
            z0 += x0[p] * w
            z1 += x1[p] * w
            z2 += x2[p] * w
            z3 += x3[p] * w
        share = np.float32(1 / len(rows))
        zero = np.float32(0)
        d0 = _slope(task, z0, targets[r0]) * share
        d1 = _slope(task, z1, targets[r1]) * share if i + 1 <= last else zero
        d2 = _slope(task, z2, targets[r2]) * share if i + 2 <= last else zero
        d3 = _slope(task, z3, targets[r3]) * share if i + 3 <= last else zero
        for p in range(inputs):
            gradient[p] += d0 * x0[p] + d1 * x1[p] + d2 * x2[p] + d3 * x3[p]
        if biased:
            gradient[inputs] += d0 + d1 + d2 + d3


@reordered
@no_type_check
def _slope(task, output, target):
    """Derivative of the loss by the output: cross-entropy of a logit, or squared error."""
    if task == BINARY:
        return np.float32(1) / (np.float32(1) + np.exp(-output)) - target
    return np.float32(2) * (output - target)


@reordered
@no_type_check
def _update(optimizer, rate, momentum, decay, step, own, gradient, first, second):
    """One step of torch's optimizer."""
    if optimizer == SGD:
        for p in range(len(own)):
            first[p] = momentum * first[p] + gradient[p] + decay * own[p]
            own[p] -= rate * first[p]
        return
    if optimizer == NESTEROV:
        for p in range(len(own)):
            slope = gradient[p] + decay * own[p]
            first[p] = momentum * first[p] + slope
            own[p] -= rate * (slope + momentum * first[p])
        return
    beta1, beta2, epsilon, one = np.float32(0.9), np.float32(0.999), np.float32(1e-8), np.float32(1)
    size = np.float32(rate / (1 - 0.9**step))
    scale = np.float32(1 / math.sqrt(1 - 0.999**step))
    coupled = decay if optimizer == ADAM else np.float32(0)
    shrink = one - rate * decay if optimizer == ADAMW else one
    for p in range(len(own)):
        slope = gradient[p] + coupled * own[p]
        first[p] = beta1 * first[p] + (one - beta1) * slope
        second[p] = beta2 * second[p] + (one - beta2) * slope * slope
        own[p] = shrink * own[p] - size * first[p] / (np.sqrt(second[p]) * scale + epsilon)
