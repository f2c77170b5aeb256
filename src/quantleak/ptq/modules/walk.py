"""Runs a trained and a quantized module side by side, and stops at every unit that is to be quantized."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from queue import Empty, Full, Queue
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.threads import one_thread

WAIT = 0.1  # seconds between two looks at whether the other run has ended


@dataclass(frozen=True, eq=False)
class Call:
    """One unit of the trained module as it was called on all calibration examples.

    Attributes:
        name: Of the unit.
        inputs: Its positional arguments.
        options: Its keyword arguments.
        output: What it returned; None before it was run.
    """

    name: str
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    output: Any = None

    @property
    def first(self) -> Tensor:
        """The first input."""
        found: Tensor = self.inputs[0] if self.inputs else next(iter(self.options.values()))
        return found


Visit = Callable[[nn.Module, Call, Call], None]
"""What is done at a unit: the module to quantize in place, its call with inputs from the quantized units before, and
the same call of the trained module."""


@torch.no_grad()
def walk(trained: nn.Module, made: nn.Module, inputs: Tensor, units: Collection[str], visit: Visit) -> list[str]:
    """Run both modules on the same inputs; when a unit of `made` is first called, `visit` quantizes it, then it runs.

    So each unit sees inputs from units that are quantized already, and one run is all that it takes. Both modules must
    call their units in the same order; the trained one runs in a thread of its own, at most one unit ahead.

    Returns:
        The units that were called, in order.

    Raises:
        InputError: If the two call their units in different orders.
    """
    calls: Queue[Call | BaseException | None] = Queue(maxsize=1)
    stopped = threading.Event()
    visited: list[str] = []

    def offer(item: Call | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                calls.put(item, timeout=WAIT)
            except Full:
                continue
            return

    def run_trained() -> None:
        seen: set[str] = set()

        def after(name: str, unit: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any], output: Any) -> None:
            if stopped.is_set():
                raise _StoppedError
            if name not in seen:
                seen.add(name)
                offer(Call(name, inputs, options, output))

        hooks = [
            trained.get_submodule(name).register_forward_hook(partial(after, name), with_kwargs=True) for name in units
        ]
        try:
            with one_thread(), torch.no_grad():
                trained(inputs)
            offer(None)
        except _StoppedError:
            pass
        except BaseException as error:
            offer(error)
        finally:
            for hook in hooks:
                hook.remove()

    def before(name: str, unit: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        if name in visited:
            return
        call = calls.get()
        if isinstance(call, BaseException):
            raise call
        if call is None or call.name != name:
            other = "nothing" if call is None else f"'{call.name}'"
            raise InputError(
                f"The quantized model runs '{name}' where the trained one runs {other}: what a forward pass does must "
                "not depend on the values that pass through it. Use a data-free rule such as rtn:4."
            )
        visited.append(name)
        visit(unit, Call(name, inputs, options), call)

    hooks = [
        made.get_submodule(name).register_forward_pre_hook(partial(before, name), with_kwargs=True) for name in units
    ]
    thread = threading.Thread(target=run_trained, name="quantleak-trained", daemon=True)
    thread.start()
    try:
        made(inputs)
    finally:
        stopped.set()
        for hook in hooks:
            hook.remove()
        while thread.is_alive():
            try:
                calls.get(timeout=WAIT)
            except Empty:
                continue
        thread.join()
    return visited


class _StoppedError(Exception):
    """Ends the run of the trained module when the other one has failed."""
