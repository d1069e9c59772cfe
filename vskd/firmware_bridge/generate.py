"""From a bundle to a folder of C99."""

from pathlib import Path

RUNTIME = Path(__file__).parent / "runtime"
"""Hand-written C that is copied into every generated folder."""
