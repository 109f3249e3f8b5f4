"""A port between a program and a server, which tests can cut."""

from __future__ import annotations

import contextlib
import socket
import threading


class Proxy:
    """A port that can be cut."""

    def __init__(self, target: int) -> None:
        self.target, self.cut = target, False
        self.pairs: list[socket.socket] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            if self.cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            self.pairs += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def close(self) -> None:
        """Refuse whoever comes, and drop whoever is there."""
        # A thread that waits in accept() keeps a closed socket listening.
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.drop()

    def drop(self) -> None:
        """Break the connections that there are."""
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pump(self, a: socket.socket, b: socket.socket) -> None:
        try:
            while block := a.recv(65536):
                if self.cut:
                    continue  # swallowed: the asker waits for an answer that never comes
                b.sendall(block)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
