"""Make an environment of its own for what must not stand in .venv.

    python scripts/environment.py FOLDER [--on-top] REQUIREMENT ...

PyTorch crashes TensorFlow where both are loaded, and peers of the benchmarks want other versions of
what we use. ``--on-top``: what is installed here is visible there too, behind its own packages.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--on-top", action="store_true")
    parser.add_argument("requirements", nargs="+")
    options = parser.parse_args()
    stamp = options.folder / "installed.txt"
    wanted = "\n".join(options.requirements)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return 0
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(options.folder)], check=True)
    python = options.folder / "bin" / "python"
    install = Path(__file__).with_name("install.py")
    # pip, not uv: it also looks where pip.conf says, where a build without CUDA may lie.
    done = subprocess.run([str(python), str(install), *options.requirements], check=False)
    if done.returncode:
        return done.returncode
    if options.on_top:
        here = sysconfig.get_paths()["purelib"]
        ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        there = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True)
        # addsitedir, so that links to editable packages are followed as well.
        line = f"import site; site.addsitedir({here!r})\n"
        (Path(there.stdout.strip()) / "zz_on_top.pth").write_text(line, encoding="utf-8")
    stamp.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
