"""What an audit would do, in words, before it does it."""

from __future__ import annotations

from typing import Any

from quantleak.attacks import ATTACKS
from quantleak.auditing.plan import Plan
from quantleak.data.split import PARTS


def description(plan: Plan) -> dict[str, Any]:
    """The facts of a plan, ready for JSON."""
    dataset, settings = plan.dataset, plan.settings
    parts = {name: len(getattr(plan.parts, name)) for name in PARTS}
    # Most audits set no examples apart for calibration.
    parts = {name: count for name, count in parts.items() if count or name != "calibration"}
    return {
        "data": {
            "name": dataset.name,
            "task": dataset.task,
            "rule": dataset.provenance.task_rule,
            "notes": list(dataset.provenance.notes),
            **parts,
        },
        "model": {
            "spec": settings.model,
            "inputs": list(plan.network.input_shape),
            "outputs": plan.network.outputs,
            "parameters": plan.network.layout.count,
            **plan.buffers,
        },
        "models": settings.models,
        "epochs": settings.epochs,
        "trainer": settings.trainer,
        "device": settings.device,
        "quantizers": list(settings.quantizers),
        "calibration": {spec: f"{count} {source}" for spec, (source, count) in plan.calibration.read.items()},
        "noise_of_other_sizes": [spec for spec in plan.procedures if spec not in settings.quantizers],
        "queries": list(plan.queries),
        "attacks": [*(kind.name for kind in ATTACKS), *settings.extra_attacks],
    }


def describe(plan: Plan) -> str:
    """The same as a few lines of text."""
    facts = description(plan)
    data, model = facts["data"], facts["model"]
    parts = ", ".join(f"{name} {data[name]:,}" for name in PARTS if name in data)
    shape = " x ".join(map(str, model["inputs"]))
    notes = "".join(f"Note    {note}\n" for note in data["notes"])
    buffers = "".join(f"        {kind.replace('_', ' ')}: {', '.join(names)}\n" for kind, names in plan.buffers.items())
    return (
        f"Data    {data['name']}: {data['task']} ({data['rule']}); {parts}\n{notes}"
        f"Models  {facts['models']} x {model['spec']} ({shape} -> {model['outputs']}, {model['parameters']:,} "
        f"parameters), {facts['epochs']} epochs, trainer {facts['trainer']} on {facts['device']}\n{buffers}"
        f"Each as {', '.join(facts['quantizers'])}\n{_more(facts)}"
        f"Under   {', '.join(facts['attacks'])}"
    )


def _more(facts: dict[str, Any]) -> str:
    """Lines on calibration, noise and queries, where there are any."""
    read = [f"{spec} on {what}" for spec, what in facts["calibration"].items() if spec in facts["quantizers"]]
    sizes, queries = len(facts["noise_of_other_sizes"]), facts["queries"]
    lines = [f"        calibrated: {', '.join(read)}"] if read else []
    lines += [f"        and noise of {sizes} other sizes, to compare with"] if sizes else []
    lines += [f"        queried as {', '.join(queries)}"] if len(queries) > 1 else []
    return "".join(f"{line}\n" for line in lines)
