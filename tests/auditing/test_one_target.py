"""An audit of one trained model is one file: its shadows are a fleet, its pairing is `Apart`, r_Q has no trajectory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets
from torch import nn

import quantleak as ql
from quantleak.attacks import Apart, Signals
from quantleak.auditing import AuditResult, Settings
from quantleak.auditing.attacks import AttackInputs, AttackJob
from quantleak.auditing.block import BlockJob, BlockOutput
from quantleak.auditing.compose import compose
from quantleak.auditing.controls import Controls
from quantleak.auditing.measures.signals import signal, utility_statistic
from quantleak.auditing.plan import Plan, make_plan
from quantleak.auditing.processing import quantize_first
from quantleak.fleet import predictions
from quantleak.gate import Limits, gate
from quantleak.quantizers import BASELINE
from quantleak.results import versions

EXAMPLES, FEATURES = 1200, 20


def one_target(target: nn.Module, member: np.ndarray, plan: Plan) -> AuditResult:
    """Attack a trained model with the fleet of a plan: three files of the room `auditing`, none of them changed."""
    shadows = BlockOutput.joined([BlockJob(block.models)(plan) for block in plan.fleet().blocks()])
    left = quantized_outputs(target, plan)
    inputs = AttackInputs(
        targets=signals_of(left, plan),
        shadows=signals_of(shadows, plan),
        pairing=Apart(member=member[None], shadows_member=plan.member, seed=0),
        baseline=BASELINE,
        groups=plan.dataset.groups[plan.parts.pool],
        task=plan.dataset.task,
        level=plan.settings.level,
        classes=plan.dataset.targets[plan.parts.pool],
    )
    attacked = {spec: AttackJob(spec)(inputs) for spec in plan.settings.quantizers}
    strongest = quantize_first(attacked, BASELINE, plan.settings.quantizers)
    controls = Controls(baseline=attacked[BASELINE], held_out={})
    outcome = compose(plan, BlockOutput.joined([left]), strongest, member[None], controls)
    return AuditResult(
        id="one", task=plan.dataset.task, n={"pool": len(member), "models": 1, "members": int(member.sum())},
        data={"name": "one target", "classes": plan.dataset.classes, **plan.dataset.provenance.to_dict()},
        settings=plan.identity["settings"], seeds={"seed": 0}, versions=versions(), timings={}, **vars(outcome),
    )  # fmt: skip


def quantized_outputs(target: nn.Module, plan: Plan) -> BlockOutput:
    def outputs(part: str, statistic) -> np.ndarray:
        rows, labels = plan.part(part)
        modules = [procedure.quantize(target) for procedure in plan.procedures.values()]
        each = [predictions(module, torch.from_numpy(rows))[None].numpy() for module in modules]
        return np.stack([statistic(one, labels, plan.dataset.task) for one in each], axis=1)

    return BlockOutput(
        pool=outputs("pool", signal), population=outputs("population", signal), test=outputs("test", utility_statistic),
        held_out=outputs("pool", signal)[..., :0],
        training=outputs("pool", utility_statistic)[:, 0], fidelity=np.ones((1, 3)), rates={}, certificates={},
        bits=dict.fromkeys(plan.procedures, 32.0), seconds=0.0,
    )  # fmt: skip


def signals_of(left: BlockOutput, plan: Plan) -> Mapping[str, Signals]:
    return {
        spec: Signals(pool=left.pool[:, place], population=left.population[:, place])
        for place, spec in enumerate(plan.settings.quantizers)
    }


def trained(plan: Plan, member: np.ndarray) -> nn.Module:
    """A model of the plan's kind on the marked rows of the pool, by a plain loop."""
    rows, labels = (torch.from_numpy(part[member]) for part in plan.part("pool"))
    module = plan.network.module(seed=99)
    optimizer, random = torch.optim.Adam(module.parameters(), lr=1e-2), torch.Generator().manual_seed(0)
    for _ in range(plan.settings.epochs):
        for batch in torch.randperm(len(rows), generator=random).split(plan.settings.batch):
            loss = nn.functional.binary_cross_entropy_with_logits(module(rows[batch])[:, 0], labels[batch].float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return module.eval()


@pytest.fixture(scope="module")
def audited() -> AuditResult:
    """A model that memorises its rows of noisy labels, attacked with 16 shadows trained in the same way."""
    features, targets = datasets.make_classification(EXAMPLES, FEATURES, n_informative=4, flip_y=0.3, random_state=0)
    settings = Settings(
        models=16, epochs=60, model="mlp:64", quantizers=("uniform:4", "sign"), optimizer="adam:1e-2", batch=32
    )
    plan = make_plan(ql.from_arrays(features, targets), settings)
    member = np.random.default_rng(1).random(plan.member.shape[1]) < 0.5
    return one_target(trained(plan, member), member, plan)


def test_shadows_find_the_members_of_one_model(audited: AuditResult) -> None:
    original = audited["identity"]
    assert original.worst.low > 0.1 == original.worst.fpr
    assert {attack.mode for attack in audited["uniform:4"].attacks} == {"none", "adaptive", "transfer", "recalibrated"}
    assert not [attack.reason for attack in original.attacks if attack.reason]
    assert audited["sign"].worst.value < original.worst.value
    assert audited.exposed.empty
    assert set(audited.classes["quantizer"]) == {"identity", "uniform:4", "sign"}


def test_the_score_is_undefined_for_want_of_a_trajectory(audited: AuditResult) -> None:
    assert "not a discrete set" in audited["identity"].rate.reason
    for spec in ("uniform:4", "sign"):
        assert audited[spec].rate.value is None
        assert "no trajectory" in audited[spec].rate.reason


def test_the_record_is_saved_read_gated_and_shown_as_any_other(audited: AuditResult, tmp_path: Path) -> None:
    audited.write_pages(tmp_path)
    audited.save(tmp_path)
    assert AuditResult.load(tmp_path).to_dict() == json.loads(json.dumps(audited.to_dict()))
    page = (tmp_path / "report.html").read_text()
    assert "no trajectory" in page
    assert gate(tmp_path, Limits.read(["0.1:1"])).passed
    assert not gate(tmp_path, Limits.read(["0.1:0.11"])).passed
