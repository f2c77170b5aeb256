"""Audits of convolutional networks on images: the same digits whoever computes them, and one copy at a time."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import quantleak as ql
from quantleak.auditing import Settings, run
from quantleak.auditing import evaluation as evaluating
from quantleak.auditing.block import BlockJob
from quantleak.auditing.plan import Plan, make_plan
from quantleak.engines import Local
from quantleak.fleet import trainer

SETTINGS: dict[str, Any] = {
    "model": "conv:6",
    "models": 4,
    "epochs": 2,
    "pool": 200,
    "optimizer": "sgd:0.1?momentum=0.9&nesterov=true",
    "schedule": "cosine",
    "augment": "flip,crop:1",
    "precision": "bfloat16",
    "evaluate_every": 2,
    "quantizers": ("sign", "obq:2?head=8", "noise:obq:2?head=8", "rtn:2?calibration=held-out&retune=true"),
    "calibration_examples": 40,
}


def plan_of(**changes: Any) -> Plan:
    return make_plan(ql.read_images("digits"), Settings(**SETTINGS | changes))


def figures(folder: Path) -> dict[str, Any]:
    found = ql.AuditResult.load(folder).to_dict()
    return {name: value for name, value in found.items() if name != "timings"}


def test_workers_and_interruption_change_no_digit(tmp_path: Path) -> None:
    dataset = ql.read_images("digits")
    ql.audit(dataset, out=tmp_path / "two", workers=2, **SETTINGS)

    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("train and follow", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ql.audit(dataset, out=tmp_path / "one", workers=1, progress=stop, **SETTINGS)
    assert len(list((tmp_path / "one" / "jobs").glob("block-*"))) == 2
    ql.audit(dataset, out=tmp_path / "one", workers=1, **SETTINGS)
    assert figures(tmp_path / "one") == figures(tmp_path / "two")


def test_every_model_is_a_job_of_its_own() -> None:
    plan = plan_of()
    assert plan.settings.trainer == "serial"
    assert [block.models for block in plan.fleet().blocks()] == [(0,), (1,), (2,), (3,)]
    assert plan_of(block=2).block == 2
    table = make_plan(ql.bundled("wine"), Settings(model="linear", models=8))
    assert table.block == table.settings.block_size == 2


def test_a_model_is_the_same_in_every_block() -> None:
    alone = BlockJob((1,))(plan_of())
    together = BlockJob((0, 1))(plan_of(block=2))
    np.testing.assert_array_equal(alone.pool[0], together.pool[1])
    np.testing.assert_array_equal(alone.held_out[0], together.held_out[1])


def test_the_pool_is_cut_at_random_and_whole_groups_stay() -> None:
    dataset = ql.read_images("digits")
    dataset = replace(dataset, groups=np.arange(len(dataset)) // 3)
    small, whole = (make_plan(dataset, Settings(model="conv:4", models=4, pool=pool)) for pool in (200, 0))
    assert 195 <= len(small.parts.pool) <= 200
    assert set(small.parts.pool) < set(whole.parts.pool)
    np.testing.assert_array_equal(small.parts.test, whole.parts.test)
    left = set(whole.parts.pool) - set(small.parts.pool)
    assert not set(dataset.groups[small.parts.pool]) & set(dataset.groups[sorted(left)])


def test_signals_have_an_axis_of_queries_and_the_utility_none() -> None:
    left = BlockJob((0,))(plan_of())
    assert left.pool.shape == (1, 9, 200, 2)
    assert left.population.shape[-1] == left.held_out.shape[-1] == 2
    assert left.test.ndim == left.training.ndim + 1 == 3
    assert plan_of(augment="crop:1").queries == ("identity",)
    assert plan_of(queries=("identity", "left:1", "flip")).queries == ("identity", "left:1", "flip")


def test_the_signal_of_a_query_is_that_of_the_view() -> None:
    plan = plan_of(quantizers=("sign",), queries=("identity", "flip"))
    left = BlockJob((2,))(plan)
    block = replace(plan.fleet().blocks()[2])
    *_, last = trainer("serial", block).train(block)
    model = plan.network.rebuilt(last.flat[0]).eval()
    images, labels = plan.part("pool")
    with torch.no_grad():
        logits = model(torch.from_numpy(images[..., ::-1].copy())).double()
    others = logits.masked_fill(nn.functional.one_hot(torch.from_numpy(labels), 10).bool(), -np.inf)
    expected = logits[np.arange(len(labels)), labels] - torch.logsumexp(others, 1)
    np.testing.assert_allclose(left.pool[0, 0, :, 1], expected.numpy(), atol=1e-4)


def test_of_quantized_copies_those_of_one_model_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[nn.Module]] = []
    most = []
    usual = evaluating.quantized

    def counted(*given: Any) -> dict[str, nn.Module]:
        made = usual(*given)
        gc.collect()
        alive.extend(weakref.ref(module) for module in made.values())
        most.append(sum(one() is not None for one in alive))
        return made

    monkeypatch.setattr(evaluating, "quantized", counted)
    BlockJob((0, 1, 2))(plan_of(block=3))
    assert max(most) <= 7 + 1  # those of one model, and the last one of the model before


def test_several_processes_do_not_crowd_one_accelerator() -> None:
    assert run.one_process(Local(4)).workers == 1


class Own:
    def run(self, jobs: Mapping[str, Any], shared: Any = None) -> Iterator[tuple[str, Any]]:
        yield from ((key, job(shared)) for key, job in jobs.items())


def test_an_engine_of_ones_own_decides_by_itself() -> None:
    own = Own()
    assert run.one_process(own) is own
