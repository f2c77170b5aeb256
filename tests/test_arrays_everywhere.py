"""Every public function that takes arrays, on every form that an array can have: the right number or advice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_right_number_or_advice() -> None:
    script = str(Path(__file__).with_name("arrays_everywhere.py"))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wrong = json.loads(done.stdout.splitlines()[-1])
    assert not wrong, "\n".join(map(str, wrong))
