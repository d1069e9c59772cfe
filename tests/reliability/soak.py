"""All campaigns of reliability in their long form, one after another: `make soak`.

    python -m tests.reliability.soak --out soak

Each writes its JSON into the folder, which git ignores; a summary is printed and written beside them.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vskd.files import write_json


class Campaign(NamedTuple):
    """One program, its bounds, and whether it writes its JSON itself or prints it."""

    module: str
    words: tuple[str, ...]
    writes: bool = False


CAMPAIGNS = {
    "kills": Campaign("reliability.kill_campaign", ("--kills", "200", "--seconds", "3600")),
    "power_loss": Campaign("reliability.power_loss", ("--count", "1000", "--seconds", "2400")),
    "link": Campaign("firmware_bridge.link.campaign", ("--seconds", "600")),
    "slots": Campaign("firmware_bridge.link.slot_rules", ("--seconds", "600")),
    "fuzz": Campaign("reliability.fuzz_campaign", ("--files", "20000", "--seconds", "3600"), writes=True),
    "streams": Campaign("reliability.stream_campaign", ("--streams", "100000", "--seconds", "3600"), writes=True),
}
"""At least 200 kills, 20,000 files, 100,000 streams, ten minutes each of bad lines and cut flash; about four hours."""


def run_campaign(campaign: Campaign, out: Path) -> dict[str, Any]:
    """Run one campaign to its end; its JSON is `out`."""
    words = [*campaign.words, *(("--out", str(out)) if campaign.writes else ())]
    command = [sys.executable, "-m", f"tests.{campaign.module}", *words]
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    found = json.loads(out.read_text(encoding="utf-8") if campaign.writes else _last_json(done.stdout))
    if not campaign.writes:
        write_json(out, found)
    return {"exit_code": done.returncode, "seconds": round(time.monotonic() - started), "figures": found}


def _last_json(text: str) -> str:
    """What is printed from the first line on that begins an object; progress may stand before."""
    lines = text.splitlines()
    begin = next((k for k, line in enumerate(lines) if line.startswith("{")), 0)
    return "\n".join(lines[begin:]) or "{}"


def wrong(figures: dict[str, Any]) -> bool:
    """Whether a campaign found anything, whatever its exit code says."""
    return bool(figures.get("wrong") or figures.get("defects"))


def shown(found: dict[str, Any]) -> str:
    """The figures of a campaign in short: plain numbers, and counts of outcomes."""
    plain = {k: v for k, v in found.items() if isinstance(v, int | float) or k == "outcomes"}
    return json.dumps(plain)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all campaigns; 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("soak"))
    parser.add_argument("--only", choices=CAMPAIGNS, action="append", help="only this one; may be repeated")
    options = parser.parse_args(arguments)
    summary = {}
    for name in options.only or CAMPAIGNS:
        print(f"{name}: {' '.join(CAMPAIGNS[name].words)}", flush=True)
        summary[name] = run_campaign(CAMPAIGNS[name], options.out / f"{name}.json")
        print(f"  exit code {summary[name]['exit_code']}, {summary[name]['seconds']} s", flush=True)
        print(f"  {shown(summary[name]['figures'])}", flush=True)
    write_json(options.out / "summary.json", summary)
    failed = [name for name, found in summary.items() if found["exit_code"] or wrong(found["figures"])]
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
