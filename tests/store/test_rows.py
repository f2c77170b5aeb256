"""The row buffer against a list of rows, in memory and spilled."""

from __future__ import annotations

import copy
import gc
import mmap
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from quantleak.store import rows as module
from quantleak.store.rows import RowBuffer, Storage

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
VALUES = (-1.0, -0.0, 0.0, 0.1, 3.0, 1.0 + 2**-20)


def small_segments(patch: pytest.MonkeyPatch) -> None:
    """Several segments from a few numbers, several pieces to a segment; places in the file still lie on pages."""
    patch.setattr(module, "SEGMENT", 120)
    patch.setattr(module, "CHUNK", 48)


def filled(parts: Sequence[Tensor], memory: int, *, compact: bool = False) -> RowBuffer:
    made = RowBuffer(Storage(memory), compact=compact)
    for part in parts:
        made.append(part)
    return made


def bits(rows: Tensor) -> list[bytes]:
    return [row.contiguous().view(torch.uint8).numpy().tobytes() for row in rows]


@given(data=st.data(), dtype=st.sampled_from(DTYPES), memory=st.sampled_from([0, 300, 2**20]), compact=st.booleans())
def test_it_holds_what_a_list_holds_bit_for_bit(
    data: st.DataObject, dtype: torch.dtype, memory: int, compact: bool
) -> None:
    width = data.draw(st.integers(1, 7))
    sizes = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    drawn = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = VALUES[: data.draw(st.integers(3, len(VALUES)))] if dtype.is_floating_point else (-3.0, 0.0, 7.0)
    parts = [torch.from_numpy(drawn.choice(values, (size, width))).to(dtype) for size in sizes]
    expected = bits(torch.cat(parts))
    with pytest.MonkeyPatch.context() as patch:
        small_segments(patch)
        made = filled(parts, memory, compact=compact)
        assert len(made) == len(expected)
        start = data.draw(st.integers(0, len(expected)))
        stop = data.draw(st.integers(start, len(expected)))
        assert bits(made.span(start, stop)) == expected[start:stop]
        if expected:
            index = data.draw(st.lists(st.integers(0, len(expected) - 1), max_size=12))
            assert bits(made.fetch(torch.tensor(index, dtype=torch.int64))) == [expected[place] for place in index]
        for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            again.append(parts[0])
            assert bits(again.span(0, len(again))) == expected + expected[: sizes[0]]
        assert bits(made.span(0, len(made))) == expected


def test_what_bfloat16_holds_takes_half_the_room_until_a_row_comes_that_it_would_change() -> None:
    storage = Storage(2**40)
    made = RowBuffer(storage, compact=True)
    made.append(torch.ones(3, 4))
    narrow = made._segments[0]
    made.append(torch.full((1, 4), 1.0 + 2**-20))
    wide = made._segments[0]
    assert isinstance(narrow, Tensor)
    assert isinstance(wide, Tensor)
    assert (narrow.dtype, wide.dtype) == (torch.bfloat16, torch.float32)


def test_the_memory_is_shared_by_the_buffers_of_a_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT", 400)
    storage = Storage(1000)
    buffers = [RowBuffer(storage), RowBuffer(storage)]
    for _ in range(2):
        for number, buffer in enumerate(buffers):
            buffer.append(torch.full((10, 10), float(number)))
    kinds = [[isinstance(segment, Tensor) for segment in buffer._segments] for buffer in buffers]
    assert kinds == [[True, False], [True, False]]
    places = [buffer._segments[1] for buffer in buffers]
    assert places == [0, mmap.ALLOCATIONGRANULARITY]
    assert [float(buffer.span(0, 20).mean()) for buffer in buffers] == [0.0, 1.0]


@pytest.mark.filterwarnings("error")
def test_the_file_has_no_name_and_is_closed_at_the_end(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0

    gc.collect()
    before = open_files()
    made = RowBuffer(Storage(0, tmp_path))
    made.append(torch.ones(3, 4))
    rows = made.span(0, 3)
    assert os.listdir(tmp_path) == []
    del made
    gc.collect()
    assert open_files() == before
    assert torch.equal(rows, torch.ones(3, 4))


RESIDENT = """
import resource, torch
from quantleak.store.rows import RowBuffer, Storage
made = RowBuffer(Storage(0))
made.append(torch.ones(1, 2**20))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(100):  # 400 MB
    made.append(torch.full((1, 2**20), float(number)))
assert made.fetch(torch.tensor([100]))[0, 0] == 99
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 2**10)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is counted in kB on Linux")
def test_what_is_spilled_leaves_the_memory_of_the_process() -> None:
    found = subprocess.run([sys.executable, "-c", RESIDENT], check=True, capture_output=True, text=True)
    assert int(found.stdout) < 100  # MB
