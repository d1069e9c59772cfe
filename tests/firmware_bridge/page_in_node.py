"""The page's own scripts, run by node."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

RULES = ("contract.js", "units.js", "columns.js", "table.js", "recording.js")
MODULE = ("module.js", "weights.js", "firmware.js")
RUNNER = """
const fs = require("node:fs"), vm = require("node:vm");
const { folder, files, script, given } = JSON.parse(fs.readFileSync(0, "utf8"));
for (const name of files) vm.runInThisContext(fs.readFileSync(`${folder}/${name}`, "utf8"), { filename: name });
const work = vm.runInThisContext(`(async (given) => { ${script} })`);
work(given).then((answer) => process.stdout.write(JSON.stringify(answer)));
"""


def missing_node() -> str:
    """What is not installed; empty if all is there."""
    return "" if shutil.which("node") else "node is not installed (Debian: nodejs)"


def in_node(folder: Path, files: tuple[str, ...], script: str, given: object = None) -> Any:
    """What a script returns after the page's files; `given` is its argument."""
    asked = {"folder": str(folder), "files": files, "script": script, "given": given}
    done = subprocess.run(
        ["node", "-e", RUNNER], input=json.dumps(asked), capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
