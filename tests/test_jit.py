from __future__ import annotations

from typing import Any

from quantleak.jit import kept


def test_a_loop_that_can_be_kept_nowhere_is_compiled_all_the_same() -> None:
    namespace: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", namespace)  # of no file, so that nothing can be kept beside it
    assert kept(namespace["double"])(21) == 42
