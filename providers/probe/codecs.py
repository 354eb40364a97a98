"""Codec strings as players want them (RFC 6381, the codecs' ISO BMFF bindings), from MP4 sample entries.

Pure. Gives "" rather than a string that is only nearly right.
"""

from __future__ import annotations

from collections.abc import Mapping

_PLAIN = {"Opus": "opus", "fLaC": "flac", "ac-3": "ac-3", "ec-3": "ec-3"}


def codec_string(entry: str, configs: Mapping[bytes, bytes]) -> str:
    """The string for a sample entry (`avc1`) and its configuration boxes (`avcC` and its body)."""
    if entry in {"avc1", "avc3"}:
        return avc(configs.get(b"avcC", b"")[1:4], entry)
    if entry in {"hvc1", "hev1"}:
        return _hevc(entry, configs.get(b"hvcC", b""))
    if entry == "av01":
        return _av1(configs.get(b"av1C", b""))
    if entry == "vp09":
        return _vp9(configs.get(b"vpcC", b""))
    if entry == "mp4a":
        return _aac(configs.get(b"esds", b""))
    return _PLAIN.get(entry, "")


def avc(profile_compatibility_level: bytes, entry: str = "avc1") -> str:
    """`avc1.640028`: the three bytes after the version of avcC, or after the NAL header of an SPS."""
    return f"{entry}.{profile_compatibility_level.hex()}" if len(profile_compatibility_level) == 3 else ""


def _hevc(entry: str, config: bytes) -> str:
    """ISO/IEC 14496-15 annex E.3: `hvc1.1.6.L120.90`."""
    if len(config) < 13:
        return ""
    space = ("", "A", "B", "C")[config[1] >> 6]
    tier = "H" if config[1] & 0x20 else "L"
    compatibility = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in config[6:12].rstrip(b"\0")]
    return ".".join(
        [entry, f"{space}{config[1] & 0x1F}", f"{compatibility:X}", f"{tier}{config[12]}", *constraints]
    )


def _av1(config: bytes) -> str:
    """AV1 codec ISO media file format binding, section 5: `av01.0.08M.10`."""
    if len(config) < 3:
        return ""
    tier = "H" if config[2] & 0x80 else "M"
    depth = 8 if not config[2] & 0x40 else 12 if config[2] & 0x20 else 10
    return f"av01.{config[1] >> 5}.{config[1] & 0x1F:02d}{tier}.{depth:02d}"


def _vp9(config: bytes) -> str:
    """VP codec ISO media file format binding: `vp09.00.40.08`, after the full box's four bytes."""
    if len(config) < 7:
        return ""
    return f"vp09.{config[4]:02d}.{config[5]:02d}.{config[6] >> 4:02d}"


def _aac(config: bytes) -> str:
    """RFC 6381 section 3.3: `mp4a.40.2`, from the decoder configuration in the ES descriptor."""
    decoder = _descriptor(config, 4, 0x03)
    if decoder is None or len(config) < decoder + 3:
        return ""
    decoder = _descriptor(config, decoder + 3, 0x04)
    if decoder is None or len(config) <= decoder:
        return ""
    kind = config[decoder]
    specific = _descriptor(config, decoder + 13, 0x05)
    if kind != 0x40 or specific is None or len(config) < specific + 2:
        return f"mp4a.{kind:02x}" if kind != 0x40 else ""
    audio = config[specific] >> 3
    if audio == 31:  # escape: six more bits
        audio = 32 + ((config[specific] & 0x07) << 3 | config[specific + 1] >> 5)
    return f"mp4a.40.{audio}"


def _descriptor(data: bytes, at: int, tag: int) -> int | None:
    """Where the content of the descriptor at `at` starts, if it has this tag (ISO/IEC 14496-1, 8.3.3)."""
    if at >= len(data) or data[at] != tag:
        return None
    at += 1
    while at < len(data) and data[at] & 0x80:
        at += 1
    return at + 1
