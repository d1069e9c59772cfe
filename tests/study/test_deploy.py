"""Export and evaluation of a study's runs, with the hardware budget."""

from pathlib import Path

import pytest

from vskd.export import evaluate
from vskd.firmware_bridge.footprint import measure_needs
from vskd.study.deploy import export_and_evaluate


def test_the_firmware_measures_what_the_export_is_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, ...]] = []
    (tmp_path / "int8").mkdir()

    def export_run(*given: object, **named: object) -> None:
        seen.append((*given, named))
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "export_run", export_run)
    with pytest.raises(KeyboardInterrupt):
        export_and_evaluate(tmp_path)
    assert seen == [(tmp_path, tmp_path / "bundle", {"measure": measure_needs})]
