"""Finds everything that can be wrong with a request before anything is trained, and reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from quantleak.auditing import Settings
from quantleak.auditing.plan import Plan, make_plan, resolve_device
from quantleak.data import Dataset, split
from quantleak.errors import InputError
from quantleak.fleet import outputs_of
from quantleak.models import network
from quantleak.requests.request import IMAGES_MODEL, Request, understood

Result = TypeVar("Result")
VECTOR, PICTURE = (2,), (3, 32, 32)
"""Shapes of an example of data that could not be read."""
WHERE = "Where should the results go? Give --out FOLDER."


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A request in which nothing is wrong, and its data.

    Attributes:
        request: The request.
        dataset: The data set that it is about.
    """

    request: Request
    dataset: Dataset

    def plan(self) -> Plan:
        """The plan of the audit; see :func:`~quantleak.auditing.plan.make_plan`."""
        return make_plan(self.dataset, self.request.settings)


def prepare(given: Mapping[str, Any], *, out: bool = True) -> Prepared:
    """Read the request, open its data, try its model and its device.

    Args:
        given: Names and values of a YAML file or of flags.
        out: Whether a folder for the results must be named.

    Raises:
        InputError: One line for each problem: settings, data source, columns, split, model, device.
    """
    found = understood(given)
    request, problems = found.request, list(found.problems)
    if out and given.get("out") is None:
        problems.append(WHERE)
    dataset = _tried(request.load, problems) if found.source else None
    images = given.get("images") is not None
    model = str(given.get("model") or (IMAGES_MODEL if images else Settings.model))
    device = str(given.get("device") or Settings.device)
    _tried(lambda: resolve_device(device), problems)
    _try_model(model, dataset, PICTURE if images else VECTOR, request.settings.seed, problems)
    if problems or dataset is None:
        lines = [f"{len(problems)} problems:", *(f"- {problem}" for problem in problems)]
        raise InputError(problems[0] if len(problems) == 1 else "\n".join(lines))
    return Prepared(request=request, dataset=dataset)


def _try_model(model: str, dataset: Dataset | None, usual: tuple[int, ...], seed: int, problems: list[str]) -> None:
    """Cut and encode the data and make the model for it; for examples of the usual shape if there are no data."""
    if dataset is None:
        # Without data the spec alone can be read; a user's own function needs the shape of an example.
        if not model.partition(":")[2].isidentifier():
            _tried(lambda: network(model, usual, 1), problems)
        return
    parts = _tried(lambda: split(dataset, seed), problems)
    if parts is None:
        return
    shape = _tried(lambda: dataset.encode(parts.population).shape[1:], problems)
    _tried(lambda: dataset.encode_targets(parts.population), problems)
    if shape is not None:
        classes = 0 if dataset.classes is None else len(dataset.classes)
        _tried(lambda: network(model, shape, outputs_of(dataset.task, classes)), problems)


def _tried(attempt: Callable[[], Result], problems: list[str]) -> Result | None:
    """The result, or None and one problem more."""
    try:
        return attempt()
    except InputError as error:
        problems.append(str(error))
        return None
