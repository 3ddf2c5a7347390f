"""Relay: the network between a viewer and the product, which a test can cut without a word to either side.

It listens on an address of its own with the ports of the product. While it is cut, nothing passes in either direction
and no connection is closed, as when a cable is out: TCP keeps its bytes for later, datagrams are lost.
"""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterable

VIEWER_SIDE = "127.0.0.2"
PRODUCT_SIDE = "127.0.0.1"
_CHUNK = 65536


class Relay:
    """A running relay for these ports; `close` ends it.

    with Relay(tcp=[8000, 4000], udp=[44400]) as relay:
        relay.cut()
        relay.mend()
    """

    def __init__(self, tcp: Iterable[int], udp: Iterable[int]) -> None:
        self._datagrams = selectors.DefaultSelector()
        self._streams = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._is_cut = False
        self._is_closed = False
        self._peers: dict[socket.socket, socket.socket] = {}
        self._backlogs: dict[socket.socket, bytearray] = {}
        #: Socket to the product of each viewer's address, for each port; and the way back.
        self._flows: dict[tuple[socket.socket, tuple[str, int]], socket.socket] = {}
        self._returns: dict[socket.socket, tuple[socket.socket, tuple[str, int]]] = {}
        for port in tcp:
            listener = socket.create_server((VIEWER_SIDE, port), backlog=64)
            self._register(listener, self._accept)
        for port in udp:
            inlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            inlet.bind((VIEWER_SIDE, port))
            self._register(inlet, self._from_viewer)
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut(self) -> None:
        """Stop all traffic."""
        with self._lock:
            self._is_cut = True

    def mend(self) -> None:
        """Let the traffic pass again."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        """End the thread and close every socket. May be called twice."""
        self._is_closed = True
        self._thread.join(timeout=5)
        for selector in (self._datagrams, self._streams):
            for key in list(selector.get_map().values()):
                key.fileobj.close()
            selector.close()

    def _register(self, sock: socket.socket, action) -> None:
        sock.setblocking(False)
        selector = self._datagrams if sock.type == socket.SOCK_DGRAM else self._streams
        selector.register(sock, selectors.EVENT_READ, action)

    def _run(self) -> None:
        while not self._is_closed:
            with self._lock:
                is_cut = self._is_cut
            # While it is cut, streams stay unread: their bytes wait at the sender. Datagrams are read, to be lost.
            for key, _ in self._datagrams.select(0.01):
                with contextlib.suppress(OSError):  # the product has no socket there now
                    key.data(key.fileobj, is_cut)
            if is_cut:
                continue
            for key, _ in self._streams.select(0):
                try:
                    key.data(key.fileobj)
                except OSError:
                    self._drop(key.fileobj)
            for sock in [sock for sock, backlog in self._backlogs.items() if backlog]:
                self._flush(sock)

    def _accept(self, listener: socket.socket) -> None:
        viewer, _ = listener.accept()
        try:
            product = socket.create_connection((PRODUCT_SIDE, listener.getsockname()[1]), timeout=2)
        except OSError:
            viewer.close()
            return
        for one, other in ((viewer, product), (product, viewer)):
            self._peers[one] = other
            self._backlogs[one] = bytearray()
            self._register(one, self._forward)

    def _forward(self, sock: socket.socket) -> None:
        peer = self._peers.get(sock)
        if peer is None or len(self._backlogs[peer]) > 1_000_000:
            return
        data = sock.recv(_CHUNK)
        if not data:
            self._drop(sock)
            return
        self._backlogs[peer] += data
        self._flush(peer)

    def _flush(self, sock: socket.socket) -> None:
        backlog = self._backlogs[sock]
        try:
            del backlog[: sock.send(backlog)]
        except BlockingIOError:
            return
        except OSError:
            self._drop(sock)

    def _drop(self, sock: socket.socket) -> None:
        peer = self._peers.pop(sock, None)
        self._backlogs.pop(sock, None)
        self._unregister(sock)
        if peer is not None:
            self._drop(peer)

    def _unregister(self, sock: socket.socket) -> None:
        try:
            self._streams.unregister(sock)
        except (KeyError, ValueError):
            return
        sock.close()

    def _from_viewer(self, inlet: socket.socket, is_cut: bool) -> None:
        data, viewer = inlet.recvfrom(_CHUNK)
        if is_cut:
            return
        outlet = self._flows.get((inlet, viewer))
        if outlet is None:
            outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            outlet.connect((PRODUCT_SIDE, inlet.getsockname()[1]))
            self._flows[inlet, viewer] = outlet
            self._returns[outlet] = (inlet, viewer)
            self._register(outlet, self._from_product)
        outlet.send(data)

    def _from_product(self, outlet: socket.socket, is_cut: bool) -> None:
        data = outlet.recv(_CHUNK)
        inlet, viewer = self._returns[outlet]
        if not is_cut:
            inlet.sendto(data, viewer)
