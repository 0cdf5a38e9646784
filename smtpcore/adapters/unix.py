"""Unix sockets, which LMTP is often spoken over: a host that is written ``unix:/path``."""

from __future__ import annotations

import os
import socket
import stat

from .listening import BACKLOG

__all__ = ["LOCAL_ADDRESS", "listen_unix", "release", "unix_path"]

_SCHEME = "unix:"
#: What either end of such a connection goes by, where an IP address is asked for.
LOCAL_ADDRESS = "127.0.0.1"


def unix_path(host: str) -> str | None:
    """The path in ``unix:/path``; None for any other host."""
    return host[len(_SCHEME) :] if host.startswith(_SCHEME) else None


def listen_unix(path: str) -> socket.socket:
    """A listening socket at that path, in place of one that a server has left behind and nobody listens at.

    Raises OSError, also where the path is in use or is no socket.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("there are no unix sockets on this system")
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return  # bind() says what is wrong with it
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)


def release(host: str) -> None:
    """The server at that host listens no more: its path goes away."""
    path = unix_path(host)
    if path is not None:
        try:
            os.unlink(path)
        except OSError:
            pass
