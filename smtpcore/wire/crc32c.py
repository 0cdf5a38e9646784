"""CRC-32C, the checksum by which a PROXY header of version 2 may prove to be whole (RFC 9260 sA)."""

from __future__ import annotations

__all__ = ["crc32c"]

#: The polynomial of Castagnoli, with its bits in the order in which they are shifted out.
_POLYNOMIAL = 0x82F63B78
_table: list[int] = []  # made when it is needed: few ever ask


def crc32c(data: bytes) -> int:
    """The checksum of ``data``, as a number of 32 bits."""
    if not _table:
        _table.extend([_entry(octet) for octet in range(256)])
    crc = 0xFFFFFFFF
    for octet in data:
        crc = _table[(crc ^ octet) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _entry(octet: int) -> int:
    for _ in range(8):
        octet = (octet >> 1) ^ (_POLYNOMIAL if octet & 1 else 0)
    return octet
