"""Write the REST contract anew: its JSON schema, and the TypeScript types that are made from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from eolab.server.contract.schema import text

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    schema = ROOT / "eolab" / "server" / "contract" / "schema.json"
    schema.write_text(text(), encoding="utf-8")
    subprocess.run(["node", str(ROOT / "scripts" / "contract.mjs")], check=True)
