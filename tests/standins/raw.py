"""A neighbour that answers in bytes of a test's choice, or not at all."""

import socket
import socketserver
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


@dataclass
class Raw:
    """Where it listens, and the requests it read whole, each over a connection of its own."""

    url: str
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def answering(answer: bytes | None, *, stays: bool = False) -> Iterator[Raw]:
    """Reads one request a connection and sends `answer`; None resets the connection instead.

    With `stays` it leaves it to the caller to hang up, and answers no second request.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            raw.requests.append(self._request())
            if answer is None:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            else:
                self.wfile.write(answer)
            if stays:
                self.rfile.readline()

        def _request(self) -> bytes:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self.rfile.readline()
            lengths = [
                int(line.split(b":")[1])
                for line in head.lower().splitlines()
                if line.startswith(b"content-length:")
            ]
            return head + self.rfile.read(sum(lengths))

        def finish(self) -> None:
            if answer is not None:
                super().finish()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
            if answer is None:
                self.close_request(request)  # a shutdown would end it in good order
            else:
                super().shutdown_request(request)

    with Server(("127.0.0.1", 0), Handler) as server:
        raw = Raw(f"http://127.0.0.1:{server.server_address[1]}")
        with _serving(server):
            yield raw


@contextmanager
def unvouched(folder: Path) -> Iterator[str]:
    """The address of a TLS server whose certificate nobody vouches for; it reads no request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def finish_request(self, request: Any, _client_address: Any) -> None:
            with context.wrap_socket(request, server_side=True):
                """The client hangs up over the certificate."""

        def handle_error(self, request: Any, client_address: Any) -> None:
            """That is what it is here for."""

    with Server(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server, _serving(server):
        yield f"https://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def deaf() -> Iterator[str]:
    """The address of a host that takes no connection: who calls waits until he gives up."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for one in waiting:
                one.close()
