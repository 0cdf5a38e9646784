"""The message itself: RFC 5322 headers, lossless, decoded lazily, and never trusted."""
