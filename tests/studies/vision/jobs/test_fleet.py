"""Fleets of the study are those of an audit; what was stopped early is what stood there at that epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from tests.studies.vision.tiny import DATA, Tiny, tiny_study
from torch import nn

from quantleak.auditing.block import BlockJob, BlockOutput
from quantleak.auditing.plan import Plan, make_plan
from quantleak.fleet import Block, trainer
from quantleak.studies.vision.jobs.fleet import FleetJob, FleetOutput, SmallerJob
from quantleak.studies.vision.jobs.plans import Plans
from quantleak.studies.vision.jobs.settings import open_data
from quantleak.threads import one_thread

MODEL = 5
FIELDS = ("pool", "population", "held_out", "test", "training", "fidelity")


@cache
def small_plan() -> Plan:
    """The tiny fleet under two quantizers, one of which reads members."""
    return make_plan(open_data(DATA, ""), tiny_study().fleet(("identity", "rtn:2", "obq:2")))


def shared(plan: Plan) -> dict[str, Plans]:
    return {DATA: Plans(rows=(), quantized=plan, smaller=plan)}


@cache
def output(models: tuple[int, ...], stopped_at: tuple[int, ...] = (1, 2)) -> FleetOutput:
    return FleetJob(DATA, models, stopped_at)(shared(small_plan()))


def log_odds(module: nn.Module, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of the true label, in float64."""
    with torch.no_grad():
        logits = module(torch.from_numpy(images)).double().numpy()
    true = np.take_along_axis(logits, labels[:, None], 1)[:, 0]
    wrong = np.where(np.arange(logits.shape[1]) == labels[:, None], -np.inf, logits)
    return np.asarray(true - np.logaddexp.reduce(wrong, axis=1))


def moved_left(images: np.ndarray) -> np.ndarray:
    """By one pixel, zeros where nothing comes in."""
    return np.concatenate([images[..., 1:], np.zeros_like(images[..., :1])], axis=-1)


@pytest.fixture(autouse=True)
def as_in_a_job() -> Iterator[None]:
    """In one thread, as every job runs: with more, sums are taken in another order."""
    with one_thread():
        yield


def test_stopped_networks_are_the_checkpoints_of_the_same_training(tiny: Tiny) -> None:
    assert tiny.study.stopped_at == (1, 2)
    plan, left = tiny.plan, tiny.ran.trained[DATA].quantized
    block = Block(plan.fleet(), (MODEL,))
    seen = {one.epoch: one.flat for one in trainer("serial", block).train(block)}
    for place, epoch in enumerate((1, 2)):
        module = plan.network.rebuilt(seen[epoch][0]).eval()
        for name, found in (("pool", left.stopped), ("population", left.stopped_population)):
            images, labels = plan.part(name)
            expected = [log_odds(module, view, labels) for view in (images, moved_left(images))]
            np.testing.assert_allclose(found[MODEL, place], np.stack(expected, -1), atol=1e-4)
        images, labels = plan.part("test")
        with torch.no_grad():
            right = module(torch.from_numpy(images)).argmax(1).numpy() == labels
        np.testing.assert_array_equal(left.stopped_test[MODEL, place], right)


def test_two_epochs_and_the_end_are_three_different_networks(tiny: Tiny) -> None:
    left = tiny.ran.trained[DATA].quantized
    networks = [left.stopped[:, 0], left.stopped[:, 1], left.block.pool[:, 0]]
    assert len({one.tobytes() for one in networks}) == 3


def test_looking_on_the_way_changes_nothing_of_the_fleet() -> None:
    block = BlockJob((MODEL,))(small_plan())
    for stopped_at in ((1, 2), ()):
        found = output((MODEL,), stopped_at).block
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name), getattr(block, name))
        assert (found.bits, found.rates) == (block.bits, block.rates)


def test_nothing_is_stopped_where_no_epoch_is_asked_for() -> None:
    found = output((MODEL,), ())
    assert found.stopped.shape == (1, 0, 520, 2)
    assert found.stopped_population.shape == (1, 0, *found.block.population.shape[2:])
    assert found.stopped_test.shape == (1, 0, *found.block.test.shape[2:])


def test_quantizers_beside_it_change_nothing_of_one(tiny: Tiny) -> None:
    whole = tiny.ran.trained[DATA].quantized.block
    for place, spec in enumerate(small_plan().procedures):
        np.testing.assert_array_equal(output((MODEL,)).block.pool[0, place], whole.pool[MODEL, tiny.one.place(spec)])


def test_parts_are_joined_model_by_model() -> None:
    first, second = output((MODEL,)), output((2,))
    joined = FleetOutput.joined([first, second])
    for name in ("stopped", "stopped_population", "stopped_test"):
        np.testing.assert_array_equal(
            getattr(joined, name), np.concatenate([getattr(one, name) for one in (first, second)])
        )
    np.testing.assert_array_equal(joined.block.pool[1], second.block.pool[0])
    assert joined.block.seconds == first.block.seconds + second.block.seconds


def test_small_networks_are_the_plain_fleet_of_their_plan(tiny: Tiny) -> None:
    plans = tiny.ran.plans[DATA]
    left = tiny.ran.trained[DATA].smaller
    block = Block(plans.smaller.fleet(), (3,))
    *_, last = trainer("serial", block).train(block)
    images, labels = plans.smaller.part("pool")
    expected = log_odds(plans.smaller.network.rebuilt(last.flat[0]).eval(), images, labels)
    np.testing.assert_allclose(left.pool[3, 0, :, 0], expected, atol=1e-4)
    alone = SmallerJob(DATA, (3,))({DATA: plans})
    np.testing.assert_array_equal(alone.pool[0], left.pool[3])


@pytest.mark.parametrize("kind", [FleetJob, SmallerJob])
def test_an_accelerator_is_asked_for_only_where_there_is_one(kind: type[FleetJob] | type[SmallerJob]) -> None:
    job = kind(DATA, (0,), (1,)) if kind is FleetJob else kind(DATA, (0,))
    assert job.resources == {}
    assert replace(job, gpus=1).resources == {"gpus": 1}
    assert job.output is (FleetOutput if kind is FleetJob else BlockOutput)
