"""The WebSocket behind Slack's Socket Mode, one connection at a time (RFC 6455)."""

import base64
import hashlib
import json
import socket
import struct
import threading
from types import TracebackType
from typing import Any, Self

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING = 1, 8, 9


class SocketModeStandin:
    """Says hello to whoever connects, sends envelopes and collects their acknowledgements."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connected = threading.Event()
        self._acknowledged = threading.Condition()
        self._peer: socket.socket | None = None
        self.acknowledgements: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._listener.getsockname()[1]}/link"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._listener.close()
        if self._peer:
            self._peer.close()
        self._thread.join(5)

    def send(self, envelope: dict[str, Any], timeout: float = 10) -> dict[str, Any]:
        """Sends an envelope and returns its acknowledgement."""
        assert self._connected.wait(timeout), "Nobody connected."
        assert self._peer
        self._peer.sendall(_frame(json.dumps(envelope).encode()))
        with self._acknowledged:
            assert self._acknowledged.wait_for(lambda: self.acknowledgements, timeout)
            return self.acknowledgements.pop()

    def _serve(self) -> None:
        try:
            self._peer, _ = self._listener.accept()
            self._shake_hands(self._peer)
            self._peer.sendall(_frame(json.dumps({"type": "hello"}).encode()))
            self._connected.set()
            while True:
                opcode, payload = _read_frame(self._peer)
                if opcode == CLOSE:
                    return
                if opcode == TEXT:
                    with self._acknowledged:
                        self.acknowledgements.append(json.loads(payload))
                        self._acknowledged.notify_all()
        except (OSError, EOFError):
            return

    def _shake_hands(self, peer: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += peer.recv(4096)
        lines = (line.partition(": ") for line in request.decode().split("\r\n"))
        key = {name.lower(): value for name, _, value in lines}["sec-websocket-key"]
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324
        peer.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )


def _frame(payload: bytes) -> bytes:
    length = len(payload)
    head = struct.pack("!BB", 0x80 | TEXT, length) if length < 126 else b""
    return (head or struct.pack("!BBH", 0x80 | TEXT, 126, length)) + payload


def _read_frame(peer: socket.socket) -> tuple[int, bytes]:
    first, second = _exactly(peer, 2)
    length = second & 0x7F
    if length == 126:
        [length] = struct.unpack("!H", _exactly(peer, 2))
    mask = _exactly(peer, 4) if second & 0x80 else bytes(4)
    payload = _exactly(peer, length)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def _exactly(peer: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = peer.recv(count - len(received))
        if not chunk:
            raise EOFError
        received += chunk
    return received
