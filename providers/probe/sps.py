"""The picture size in a codec's own header: the sequence parameter set of H.264 and HEVC.

Pure. A packager can write any number into a manifest or a container; a decoder obeys this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from providers.probe.media import MAX_SIDE

Size = tuple[int, int]

MAX_NAL: Final = 1024
_HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
_CHROMA_STEPS: Final = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}


class Malformed(ValueError):
    """The bytes are no parameter set."""


@dataclass(slots=True)
class Bits:
    """Reads bits from the most significant end, as both standards do."""

    value: int
    left: int

    @classmethod
    def of(cls, data: bytes) -> Bits:
        return cls(int.from_bytes(data, "big"), len(data) * 8)

    def take(self, count: int) -> int:
        if count > self.left:
            raise Malformed("ends too early")
        self.left -= count
        return (self.value >> self.left) & ((1 << count) - 1)

    def ue(self) -> int:
        """Unsigned Exp-Golomb (H.264 section 9.1)."""
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
            if zeros > 31:
                raise Malformed("a number of more than 32 bits")
        return (1 << zeros) - 1 + self.take(zeros)

    def se(self) -> int:
        """Signed Exp-Golomb (H.264 section 9.1.1)."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def h264_size(nal: bytes) -> Size | None:
    """Width and height of an H.264 SPS, NAL header included (ITU-T H.264 section 7.3.2.1.1), or None."""
    try:
        return _h264(Bits.of(_unescape(nal[1:MAX_NAL])))
    except Malformed:
        return None


def hevc_size(nal: bytes) -> Size | None:
    """Width and height of an HEVC SPS, NAL header included (ITU-T H.265 section 7.3.2.2.1), or None."""
    try:
        return _hevc(Bits.of(_unescape(nal[2:MAX_NAL])))
    except Malformed:
        return None


def _unescape(payload: bytes) -> bytes:
    """Drop the emulation prevention bytes (00 00 03)."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")


def _h264(bits: Bits) -> Size:
    profile = bits.take(8)
    bits.take(16)
    bits.ue()
    chroma, separate_planes = 1, 0
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate_planes = bits.take(1) if chroma == 3 else 0
        _skip_depths_and_scaling(bits, lists=12 if chroma == 3 else 8)
    _skip_order_counts(bits)
    width, height_units = (bits.ue() + 1) * 16, (bits.ue() + 1) * 16
    frames_only = bits.take(1)
    bits.take(1 if frames_only else 2)
    fields = 2 - frames_only
    step_x, step_y = _steps(0 if separate_planes else chroma)
    left, right, top, bottom = _window(bits)
    return _sane(width - step_x * (left + right), height_units * fields - step_y * fields * (top + bottom))


def _skip_depths_and_scaling(bits: Bits, *, lists: int) -> None:
    bits.ue()
    bits.ue()
    bits.take(1)
    if not bits.take(1):
        return
    for number in range(lists):
        if bits.take(1):
            _skip_scaling_list(bits, 16 if number < 6 else 64)


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_order_counts(bits: Bits) -> None:
    bits.ue()
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.take(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue()
    bits.take(1)


def _hevc(bits: Bits) -> Size:
    bits.take(4)
    sub_layers = bits.take(3)
    bits.take(1)
    _skip_profile_tier_level(bits, sub_layers)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.take(1)
    width, height = bits.ue(), bits.ue()
    step_x, step_y = _steps(chroma)
    left, right, top, bottom = _window(bits)
    return _sane(width - step_x * (left + right), height - step_y * (top + bottom))


def _skip_profile_tier_level(bits: Bits, sub_layers: int) -> None:
    bits.take(96)
    if not sub_layers:
        return
    present = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    bits.take(2 * (8 - sub_layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)


def _steps(chroma: int) -> tuple[int, int]:
    """Luma samples per unit of the cropping window, across and down."""
    if chroma not in _CHROMA_STEPS:
        raise Malformed("no such chroma format")
    return _CHROMA_STEPS[chroma]


def _window(bits: Bits) -> tuple[int, int, int, int]:
    if not bits.take(1):
        return 0, 0, 0, 0
    return bits.ue(), bits.ue(), bits.ue(), bits.ue()


def _sane(width: int, height: int) -> Size:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise Malformed("not a picture size")
    return width, height
