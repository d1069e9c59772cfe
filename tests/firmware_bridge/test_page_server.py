"""The server: one folder, this machine, and nothing else."""

import errno
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vskd.firmware_bridge import page_server
from vskd.firmware_bridge.page_server import PageServer, ServerError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<p>here")
    (tmp_path / "page" / "empty").mkdir()
    (tmp_path / "secret").write_text("secret")
    with PageServer(tmp_path / "page", 0) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def asked(server: PageServer, path: str, host: str | None = None, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{server.port}"})
    return connection.getresponse()


def test_the_page_is_served_with_careful_headers(server: PageServer) -> None:
    answer = asked(server, "/")
    assert (answer.status, answer.read()) == (200, b"<p>here")
    assert answer.getheader("Cache-Control") == "no-store" and answer.getheader("X-Frame-Options") == "DENY"
    assert "accelerometer=(self)" in (answer.getheader("Permissions-Policy") or "")
    assert "Python" not in (answer.getheader("Server") or "")
    assert asked(server, "/", f"localhost:{server.port}").status == 200
    assert asked(server, "/index.html", method="HEAD").status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1.evil.example:1", ""])
def test_a_foreign_name_of_this_machine_is_refused(server: PageServer, host: str) -> None:
    answer = asked(server, "/", host or " ")
    assert answer.status == 421 and b"here" not in answer.read()


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "//secret", "/empty/", "/nothing"])
def test_nothing_else_is_given(server: PageServer, path: str) -> None:
    answer = asked(server, path)
    assert answer.status == 404 and b"secret" not in answer.read().replace(path.encode(), b"")


def test_nothing_can_be_sent(server: PageServer) -> None:
    assert asked(server, "/", method="POST").status == 501


def test_it_listens_on_this_machine_alone(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.port}/"


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"Port {port} is taken\. Choose another one with --port"):
            PageServer(tmp_path, port)


def test_every_answer_has_every_header(server: PageServer) -> None:
    expected = {
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "accelerometer=(self), gyroscope=(self), camera=(), microphone=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    for answer in (asked(server, "/"), asked(server, "/nothing"), asked(server, "/", "evil.example")):
        assert {name: answer.getheader(name) for name in expected} == expected
    assert asked(server, "/").getheader("Server", "").strip() == "vskd"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EADDRINUSE, "Port 80 is taken"),
        (errno.EACCES, "Port 80 is not allowed"),
        (errno.EIO, "Port 80 fails: .*io"),
    ],
)
def test_why_a_port_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: str) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, "bio")

    monkeypatch.setattr(page_server.ThreadingHTTPServer, "__init__", refused)
    with pytest.raises(ServerError, match=why):
        PageServer(tmp_path, 80)


def test_nothing_is_printed_of_a_request(server: PageServer, capsys: pytest.CaptureFixture[str]) -> None:
    asked(server, "/")
    asked(server, "/nothing")
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_an_error_without_a_number_is_said_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no net")

    monkeypatch.setattr(page_server.ThreadingHTTPServer, "__init__", refused)
    with pytest.raises(ServerError, match=r"Port 80 fails: no net\. Choose another one with --port"):
        PageServer(tmp_path, 80)


def test_it_may_be_started_again_at_once_and_ends_with_the_program(server: PageServer) -> None:
    assert PageServer.daemon_threads and PageServer.allow_reuse_address
    assert server.hosts == {f"127.0.0.1:{server.port}", f"localhost:{server.port}"}
