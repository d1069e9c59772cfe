"""What C++ writes to file descriptor 2 is kept off the terminal, and everything is restored."""

import logging
import os
import warnings

import pytest

from vskd.bundle.native_output import quiet_native_output


def test_native_lines_go_to_the_debug_log(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, logger="vskd.bundle.native_output"), quiet_native_output():
        os.write(2, b"INFO: from native code\n")
        warnings.warn("from python", stacklevel=1)
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
    assert "INFO: from native code" in caplog.text


def test_an_error_passes_through_and_stderr_is_restored(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(ValueError, match="inside"), quiet_native_output():
        os.write(2, b"hidden\n")
        raise ValueError("inside")
    os.write(2, b"visible\n")
    assert capfd.readouterr().err == "visible\n"


def test_descriptors_are_not_leaked():
    def next_free() -> int:
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    before = next_free()
    for _ in range(5):
        with quiet_native_output():
            pass
    assert next_free() == before


def test_silence_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="vskd"), quiet_native_output():
        os.write(2, b" \n")
    assert caplog.records == []


def test_what_is_no_text_is_logged_as_well_as_it_can_be(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="vskd"), quiet_native_output():
        os.write(2, b"caf\xe9\n")
    assert "caf\ufffd" in caplog.text
