"""A device without a device: the generated C of a bundle, with link and slots, replays a recording over TCP."""

import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vskd.bundle.bundle import MODEL, Bundle
from vskd.bundle.predict import sensor_contract_of
from vskd.bundle.recorded import Recorded
from vskd.bundle.sensor_file import read_recording
from vskd.bundle.stream.stream_plan import MICROSECONDS
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.errors import LinkError, SettingError
from vskd.firmware_bridge.generate import LINK_FILES, RUNTIME, library_sources, read_firmware, write_firmware
from vskd.firmware_bridge.link.parcel import pack_bundle
from vskd.firmware_bridge.link.wires import loopback
from vskd.firmware_bridge.toolchain import Build, build_program

SECTOR = 4096
_BUILD = Build("C, gcc", "gcc")
LONGEST = 1 << 31
"""Samples of a recording that is replayed."""
_ROOM = 1.5
"""Of a slot, beyond the bundle."""


def simulate(
    bundle: Bundle,
    recording: Path,
    address: str,
    *,
    flash: Path | None = None,
    connections: int | None = None,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a simulated device; each connection is a start of it. Its slots are kept from one to the next.

    Args:
        bundle: of a sensor; its firmware is generated and built with gcc.
        recording: file of any length that it replays, understood as `vskd predict` does.
        address: HOST:PORT on this machine; port 0 takes a free one.
        flash: file of its slots, made where it is missing; None: they are forgotten at the end.
        connections: to serve; None: until Ctrl-C.
        on_ready: is told the address, once it can be connected to.

    Raises:
        BundleError: the bundle has no sensor, the recording does not fit it, or a compiler is missing.
        DataError: the recording cannot be read.
        SettingError: the address is not on this machine, or the flash is of another size.
        LinkError: the address is taken.
    """
    host, port = loopback(address)
    contract = sensor_contract_of(bundle).model_copy(update={"max_samples": LONGEST})  # a stream may be long
    recorded = read_recording(recording, contract)
    with tempfile.TemporaryDirectory(prefix="vskd-") as name:
        folder = Path(name)
        command = _build(bundle, recorded, folder, flash or folder / "flash.bin")
        with _listen(host, port) as listening:
            on_ready(f"{host}:{listening.getsockname()[1]}")
            served = 0
            while connections is None or served < connections:
                connection, _ = listening.accept()
                with connection:
                    subprocess.run(command, stdin=connection.fileno(), stdout=connection.fileno(), check=False)
                served += 1


def _build(bundle: Bundle, recorded: Recorded, folder: Path, flash: Path) -> list[str]:
    """Build the device; the command that starts it."""
    settings = StreamSettings(device=DeviceSettings(rate_hz=recorded.rate_hz))
    firmware = read_firmware(bundle, settings)
    write_firmware(firmware, folder)
    sources = ["link/vskd_link_run.c", *LINK_FILES, *library_sources(firmware)]
    (folder / "link" / "vskd_link_run.c").write_bytes((RUNTIME / "link" / "vskd_link_run.c").read_bytes())
    program = build_program(_BUILD, folder, [s for s in sources if s.endswith(".c")], folder / "device")
    samples = folder / "samples.bin"
    samples.write_bytes(sample_rows(recorded))
    slot = _prepare_flash(flash, len(pack_bundle(bundle)))
    weights = [str(folder / MODEL)] if firmware.in_place else []
    return [str(program), str(samples), str(flash), str(SECTOR), str(slot), *weights]


def sample_rows(recorded: Recorded) -> bytes:
    """What `vskd_link_run` reads: for each sample its time in microseconds, and its axes."""
    count = recorded.signal.shape[1]
    seconds = np.arange(count) / recorded.rate_hz if recorded.times is None else recorded.times
    rows = np.empty(count, dtype=[("time", "<u8"), ("values", "<f4", recorded.signal.shape[0])])
    rows["time"] = np.rint(seconds * MICROSECONDS).astype(np.uint64)
    rows["values"] = recorded.signal.T
    return rows.tobytes()


def _prepare_flash(flash: Path, parcel: int) -> int:
    """Make the flash where it is missing; bytes of a slot."""
    slot = SECTOR * (1 + int(np.ceil(_ROOM * parcel / SECTOR)))
    if not flash.exists():
        flash.write_bytes(b"\xff" * 2 * slot)
    size = flash.stat().st_size
    if size % (2 * SECTOR) or size < 4 * SECTOR:
        raise SettingError(f"{flash} has {size} bytes, which are not two slots", "Name another file with --flash")
    return size // 2


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise LinkError(
            f"{host}:{port} cannot be served: {error.strerror or error}", "Choose another port, or 0"
        ) from error
