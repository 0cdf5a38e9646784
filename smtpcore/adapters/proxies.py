"""Which peers are proxies that are believed."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, cast, final

__all__ = ["Proxies"]

#: What stands for the peers of a unix socket, which have no address.
_UNIX: Final = "unix:"


@final
class Proxies:
    """Addresses and networks, and ``"unix:"`` for a unix socket; ``in`` asks for a peer as sockets name it.

    An IPv4 address within IPv6, as a socket for both has it, counts as what it stands for. Raises ValueError for what
    is no address, and for a network with bits behind its prefix.
    """

    def __init__(self, proxy_from: Iterable[str] = ()) -> None:
        if isinstance(proxy_from, str):
            raise TypeError("proxy_from must be several: a list of addresses and networks")
        names = frozenset(proxy_from)
        self._unix = _UNIX in names
        self._networks = tuple([ip_network(name) for name in sorted(names) if name != _UNIX])

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def __contains__(self, peer: object) -> bool:
        if not isinstance(peer, tuple):
            return self._unix
        if not self._networks:
            return False
        host, *_ = cast("tuple[str, ...]", peer)
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)
