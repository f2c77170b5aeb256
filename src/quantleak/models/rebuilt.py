"""Checks that a model rebuilt from its stored state reproduces the trained one."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.models.differences import differences, same
from quantleak.models.network import Network
from quantleak.ptq.modules.layout import state

EXAMPLES = 32
"""Examples on which a rebuilt model is compared with the trained one."""
_SHOWN = 5


@torch.no_grad()
def require_rebuilt(
    network: Network, trained: nn.Module, flat: Float[Tensor, " parameters"], features: Float[Tensor, "examples ..."]
) -> None:
    """Refuse a trained module that the model rebuilt from its flat vector does not reproduce bit for bit.

    Both are called on the same batch in evaluation mode, from the same state of torch's random numbers; the rebuilt one
    is called twice, from another state, and must not change its output.

    Args:
        network: The family of the module.
        trained: The module after training; it is put into evaluation mode.
        flat: What is kept of it.
        features: Examples to call them on; the first are taken.

    Raises:
        InputError: It names the attributes by which the two differ.
    """
    probe = features[:EXAMPLES]
    rebuilt = network.rebuilt(flat).eval()
    trained.to(flat.device).eval()
    expected, output = _output(trained, probe, 0), _output(rebuilt, probe, 0)
    if not same(expected, output):
        raise InputError(_lost(network, trained, rebuilt))
    if not same(output, _output(rebuilt, probe, 1)):
        raise InputError(
            f"Model '{network.spec}' gives other outputs for the same examples each time, in evaluation mode too. Draw "
            "random numbers and count calls only `if self.training`."
        )


def _output(module: nn.Module, probe: Tensor, seed: int) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found: Tensor = module(probe)
    return found


def _lost(network: Network, trained: nn.Module, rebuilt: nn.Module) -> str:
    ours = state(rebuilt)
    names = differences(trained, rebuilt)
    names += [name for name, tensor in state(trained).items() if name not in ours or not same(tensor, ours[name])]
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN]) or "something that is no attribute"
    return (
        f"Model '{network.spec}': a trained model cannot be rebuilt from its parameters and buffers alone, for "
        f"{shown} differs between models or changes in training. Make it a buffer, "
        "self.register_buffer(name, torch.tensor(...)), or choose it outside the model, the same for all."
    )
