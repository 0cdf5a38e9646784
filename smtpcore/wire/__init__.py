"""Octets to values and back: no session, no role, no clock."""
