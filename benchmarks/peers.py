"""The peers: what others would use for the same question, each in an environment of its own under `.peers/`.

`python -m benchmarks.peers` makes the environments with uv, versions pinned here. What runs inside them is `peer`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".peers"
PINNED: dict[str, tuple[str, ...]] = {
    "datacompy": ("datacompy==1.1.0", "polars==1.44.2", "pyarrow==26.0.1"),
    "diffly": ("diffly==1.6.0", "polars==2.1.0"),
    "reladiff": ("reladiff==0.6.0", "duckdb==2.0.1"),
}


def python(name: str) -> Path:
    """The interpreter of a peer's environment, which is made when it is not there."""
    interpreter = ENVIRONMENTS / name / "bin" / "python"
    if not interpreter.exists():
        uv = shutil.which("uv") or str(HERE.parent / ".tools" / "bin" / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", str(ENVIRONMENTS / name)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(interpreter), *PINNED[name]], check=True)
    return interpreter


if __name__ == "__main__":
    for peer in PINNED:
        print(python(peer))
