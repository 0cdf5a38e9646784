"""The quick way through encoded-words that nothing is wrong with says what the long way says."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message import words
from smtpcore.wire.tolerance import LAX, Tolerance

TOKENS = st.lists(
    st.sampled_from(
        ["=?utf-8?q?a=C3=A9_?=", "=?UTF-8?B?w6k=?=", "=?koi8-r?b?xA==?=", "=?utf-8?b?w6l=?=", "=?utf-8?q?=0A?="]
        + ["=?x?q?a?=", "=?utf-8?q??=", "=?utf-8?b?w6l?=", "=?utf-8?q?a=?=", "=?iso-8859-1?q?=93?=", "=?utf-8?b?w6k"]
        + ["=?utf-8*en?q?a?=", "=?utf-8?B??=", "=?\u212aoi8-r?b?xA==?=", "=?ks_c_5601-1987?b?sKE=?=", "=?utf-8??w6k=?="]
        + ["=?utf-8?Bb?w6k=?=", "=?utf-8?b?=w6k?=", "=?utf-8?b?w6 k=?=", "=?utf-8?q?=3D?a?=", "=?utf-8?q?=e9?="]
        + ["=?utf-8?q?=4?="]
        + ["=?utf-8?q?" + "a" * length + "?=" for length in (63, 64)]
        + [" ", " ", " ", "  ", " \t ", "\t", "a", "b c", "=?", "?=", "(", "\u00e9"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(TOKENS)
@example("=?utf-8?B??=")
@example("=?utf-8?q??= a")
def test_both_ways_say_the_same(text):
    quick = words._decode_plain(text)
    tolerance = Tolerance(LAX)
    plain, words._decode_plain = words._decode_plain, lambda text: None
    try:
        long = words.decode_words(text, tolerance)
        if quick is not None:
            assert quick == long
            assert not tolerance.defects
            assert words.decode_words(text, Tolerance()) == long
        elif tolerance.defects:
            try:
                words.decode_words(text, Tolerance())
            except ParseError:
                pass
            else:
                raise AssertionError("defects that STRICT lets through")
    finally:
        words._decode_plain = plain
    assert words.decode_words(text) == long
