"""`vskd serve`: the page of a bundle, on this machine."""

import tempfile
import threading
import webbrowser
from pathlib import Path

import click

from vskd.cli.firmware import read_settings, settings_option
from vskd.cli.options import FOLDER, VskdCommand, check_signature, signature_option


@click.command(
    cls=VskdCommand,
    examples=("vskd serve BUNDLE", "vskd serve BUNDLE --port 8000 --no-browser"),
)
@click.argument("bundle", type=FOLDER)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=8765,
    show_default=True,
    help="Port of 127.0.0.1; 0: any free one.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@settings_option
@signature_option
def serve(bundle: Path, port: int, no_browser: bool, stream_settings: Path | None, keys: Path | None) -> None:
    """Open a page that runs BUNDLE: replays a recording, or listens to a motion sensor.

    The page is served to this machine alone, until Ctrl-C. To keep it as a folder: vskd firmware page.
    """
    from vskd.firmware_bridge.make_page import make_page
    from vskd.firmware_bridge.page_server import PageServer

    check_signature(bundle, keys)
    with tempfile.TemporaryDirectory(prefix="vskd-page-") as name:
        folder = Path(name) / "page"
        with PageServer(folder, port) as server:  # a taken port is said before anything is compiled
            make_page(bundle, folder, read_settings(stream_settings))
            click.echo(f"{server.address} until Ctrl-C")
            if not no_browser:
                # Some browsers run in the terminal until they are left.
                threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo("stopped", err=True)
