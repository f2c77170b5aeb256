"""The same bytes whatever ran before, in this process and in others, with any number of threads around."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from tests.ptq.networks import images, residual

import quantleak as ql
from quantleak.ptq import digest, quantization

SPECS = (
    "rtn:3",
    "obq:3?head=8",
    "obq:3?order=greedy",
    "adaround:3?iterations=30",
    "adaround:3?iterations=20&batch=16",
    "brecq:2?iterations=15",
    "noise:obq:3",
)


def fingerprint(spec: str, threads: int = 1) -> str:
    """Digest of the module and of its codes."""
    torch.set_num_threads(threads)
    model, inputs = residual(), images()
    made = ql.quantize(model, spec, calibration=inputs, seed=11)
    total = hashlib.sha256(digest(made))
    if not spec.startswith("noise"):
        for one in quantization(made).weights:
            total.update(one.codes.numpy().tobytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return {spec: fingerprint(spec) for spec in SPECS}


@pytest.mark.parametrize("spec", SPECS)
def test_what_ran_before_does_not_matter(spec: str, here: dict[str, str]) -> None:
    threads, states = torch.get_num_threads(), (torch.get_rng_state(), np.random.get_state(), random.getstate())
    try:
        torch.manual_seed(99)
        np.random.seed(4)
        random.seed(4)
        ql.quantize(residual(seed=5), "adaround:2?iterations=5&batch=8", calibration=images(seed=8), seed=2)
        with torch.inference_mode():
            torch.randn(3)
        assert fingerprint(spec, threads=2) == here[spec]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


def test_two_processes_make_the_same_bytes(here: dict[str, str]) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(fingerprint, SPECS, [2] * len(SPECS)))
    assert dict(zip(SPECS, made, strict=True)) == here


def test_a_process_of_its_own_with_other_variables_too(here: dict[str, str]) -> None:
    code = f"import sys; sys.path.insert(0, '.'); from {__name__} import fingerprint; print(fingerprint({SPECS[1]!r}))"
    environment = {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "PYTHONHASHSEED": "7", "PATH": ""}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert found.stdout.split()[-1] == here[SPECS[1]]


def test_the_seed_matters_where_something_is_drawn() -> None:
    model, inputs = residual(), images()
    for spec, drawn in (("obq:3", False), ("adaround:3?iterations=20", False), ("brecq:2?iterations=15", True)):
        made = [ql.quantize(model, spec, calibration=inputs, seed=seed) for seed in (1, 2)]
        assert (digest(made[0]) != digest(made[1])) == drawn
