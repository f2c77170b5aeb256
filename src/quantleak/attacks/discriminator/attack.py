"""Split the models, search on the validation models, judge on the test models.

Source: [Aubinais2025] E. Aubinais, P. Formont, P. Piantanida, E. Gassiat, *Membership Inference Risks in Quantized
Models: A Theoretical and Empirical Study*, arXiv 2502.06567, section 4.2.
"""

from __future__ import annotations

import numpy as np

from quantleak.attacks.discriminator.inputs import refusal
from quantleak.attacks.discriminator.observed import balanced, observed
from quantleak.attacks.discriminator.result import Discrimination, PerModel, Trial, mean_over_models
from quantleak.attacks.discriminator.search import Attempt, Known, Search, threshold_and_accuracy
from quantleak.attacks.discriminator.settings import Discriminator
from quantleak.attacks.discriminator.split import split
from quantleak.attacks.evaluation.metrics import mis_bound
from quantleak.attacks.evaluation.roc import roc
from quantleak.errors import InputError

DEFAULT = Discriminator()


def discriminator(
    parameters: np.ndarray,
    features: np.ndarray,
    targets: np.ndarray,
    losses: np.ndarray,
    member: np.ndarray,
    *,
    settings: Discriminator = DEFAULT,
    seed: int = 0,
) -> Discrimination:
    r"""Train g(theta, x, y, loss) to separate members from non-members, and judge it on models it never saw.

    Any g gives :math:`\mathrm{MIS} \le 2 (1 - \mathrm{accuracy})`. Each model must have examples of its own that no
    other model was trained on: g would recognise one that it has met. Training models fit g, validation models stop the
    training and choose configuration and threshold, test models judge. Equal seeds give equal results on the same
    machine at the same number of torch threads. Source: [Aubinais2025], section 4.2.

    Args:
        parameters: theta, [M, P]: the flattened (quantized) weights of M models.
        features: x, [M, N, F]: of each model n members and n others, N = 2n, in any order.
        targets: y, [M, N]: class number or real value.
        losses: loss(theta, (x, y)) >= 0, [M, N]; g reads its logarithm.
        member: [M, N] bool: whether the model was trained on the example.
        settings: Split, search and training.
        seed: Deals the models, starts g and orders its minibatches.

    Raises:
        InputError: If shapes disagree, a value is NaN, infinite or (losses) negative, a model has not as many members
            as others, there are too few models, the seed is negative, or no configuration of the search fits the data.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> member = np.tile([True, False], (40, 16))
        >>> losses = np.exp(rng.normal(size=member.shape) - 2 * member)
        >>> found = discriminator(np.zeros((40, 1)), np.zeros((40, 32, 1)), np.zeros(member.shape), losses, member)
        >>> found.accuracy.low < 0.84 < found.accuracy.high
        True
    """
    seen = observed(parameters, features, targets, losses)
    member = balanced(member, seen.losses.shape)
    if seed < 0:
        raise InputError(f"The seed must be a whole number, 0 or larger, got {seed}. Try seed=0.")
    deal, *seeds = np.random.SeedSequence(seed).spawn(1 + len(settings.search))
    parts = split(len(member), settings.validation, settings.test, np.random.default_rng(deal))
    training, validation, test = (Known(seen=seen.of(p), member=member[p]) for p in parts)
    refused = {one.inputs: reason for one in settings.search if (reason := refusal(one.inputs, seen))}
    found = Search(settings=settings, training=training, validation=validation, refused=refused, seeds=seeds).run()
    trials = tuple(one.trial if isinstance(one, Attempt) else one for one in found)
    best = _best([one for one in found if isinstance(one, Attempt)], trials)
    scores = best.scores(test.seen)
    per_model = PerModel(
        accuracy=((scores >= best.threshold) == test.member).mean(axis=1),
        auc=np.array([roc(*pair).auc for pair in zip(scores, test.member, strict=True)]),
        loss_accuracy=_loss_accuracy(validation, test),
    )
    accuracy = mean_over_models(per_model.accuracy, settings.level).map(_share)
    return Discrimination(
        accuracy=accuracy,
        mis_bound=accuracy.map(mis_bound),
        auc=mean_over_models(per_model.auc, settings.level).map(_share),
        loss_accuracy=mean_over_models(per_model.loss_accuracy, settings.level).map(_share),
        gain=mean_over_models(per_model.accuracy - per_model.loss_accuracy, settings.level),
        chosen=best.trial.candidate,
        threshold=best.threshold,
        history=best.trial.history,
        trials=trials,
        per_model=per_model,
        scores=scores,
        split=parts,
    )


def _best(attempts: list[Attempt], trials: tuple[Trial, ...]) -> Attempt:
    """The most accurate on the validation models, the first of equals."""
    if not attempts:
        reasons = "; ".join(dict.fromkeys(str(trial.reason) for trial in trials))
        raise InputError(f"No configuration of the search fits these data: {reasons}. Add Candidate(inputs='paper').")
    return max(attempts, key=lambda attempt: attempt.accuracy)


def _loss_accuracy(validation: Known, test: Known) -> np.ndarray:
    """Of each test model, the accuracy of the threshold on the loss that is best on the validation models."""
    threshold, _ = threshold_and_accuracy(-validation.seen.losses, validation.member)
    return np.asarray(((-test.seen.losses >= threshold) == test.member).mean(axis=1))


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
