"""Makes the demo's clips and manifests: `make demo-media`, or `python -m demo.make_media [--all]`.

It needs ffmpeg and no network. It makes what `films.json` names and the media folder lacks, and removes what
no film names.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from demo import art, manifests
from demo.catalogue import CLIP_SECONDS, MEDIA, Film, Rendition, load

FPS = 5
GOP_SECONDS = 15
BUDGET_BYTES = 2_000_000
# A chime every five seconds, three tones in turn: it tells a gap in the sound, and costs little.
CHIME = "0.2*sin(2*PI*(330+110*mod(floor(t/5),3))*t)*exp(-4*mod(t,5))*lt(mod(t,5),1.5)"
AUDIO = ("-c:a", "aac", "-aac_coder", "fast", "-b:a", "2k", "-ac", "1")
# Flat pictures that hardly change: all bits go to the key frames, and what stands still is skipped.
VIDEO = (
    "-c:v", "libx264", "-preset", "veryslow", "-qp", "48", "-pix_fmt", "yuv420p", "-bf", "0",
    "-sc_threshold", "0", "-g", str(FPS * GOP_SECONDS), "-keyint_min", str(FPS * GOP_SECONDS),
    "-x264-params", "aq-mode=0:ref=1:mbtree=0:psy=0:trellis=2:subme=1:ipratio=1.6",
)  # fmt: skip
FRAGMENTED = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof+global_sidx", "-use_editlist", "0")
PLAIN = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")


class MediaError(RuntimeError):
    """A clip can't be made; the message says why and what to do."""


def make(films: tuple[Film, ...], folder: Path, *, everything: bool = False) -> list[str]:
    """Make the clips that `folder` lacks, or all, and the manifests; what was made. Raises MediaError."""
    _need_ffmpeg()
    wanted = _wanted(films, folder)
    _remove_others(folder, {*wanted, folder / "audio.mp4", folder / "audio.m3u8"})
    made = []
    if everything or not (folder / "audio.m3u8").exists():
        _make_sound(folder)
        made.append("audio.mp4")
    sound = manifests.read_index((folder / "audio.mp4").read_bytes())
    for film in films:
        for rendition in filter(lambda each: each.has_clip, film.renditions):
            clip = folder / str(film.tmdb_id) / f"{rendition.id}.mp4"
            if everything or not clip.exists():
                _make_clip(film, rendition, clip)
                made.append(f"{film.title}, {rendition.id}")
            if rendition.delivery != "progressive":
                _write_manifests(rendition, clip, sound)
    return made


def size_of(folder: Path) -> int:
    """Bytes of everything in `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _wanted(films: tuple[Film, ...], folder: Path) -> set[Path]:
    return {
        folder / str(film.tmdb_id) / name
        for film in films
        for rendition in film.renditions
        if rendition.has_clip
        for name in rendition.files
    }


def _remove_others(folder: Path, keep: set[Path]) -> None:
    for path in [each for each in folder.rglob("*") if each.is_file() and each not in keep]:
        path.unlink()
    for path in sorted((each for each in folder.rglob("*") if each.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()


def _make_sound(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fragments = ("-frag_duration", str(GOP_SECONDS * 1_000_000), "-avoid_negative_ts", "make_zero")
    movflags = ("-movflags", "+empty_moov+default_base_moof+global_sidx", "-use_editlist", "0")
    # A little short: AAC ends on a whole frame, and sound that outlasts the picture would stretch the clip.
    _ffmpeg(*_chimes(CLIP_SECONDS - 0.3), *AUDIO, *PLAIN, *movflags, *fragments, str(folder / "audio.mp4"))
    index = manifests.read_index((folder / "audio.mp4").read_bytes())
    (folder / "audio.m3u8").write_text(manifests.media_playlist(index, "audio.mp4"), "utf-8")


def _write_manifests(rendition: Rendition, clip: Path, sound: manifests.Index) -> None:
    size = rendition.width, rendition.height
    index = manifests.read_index(clip.read_bytes())
    entry = clip.with_name(rendition.entry)
    if rendition.delivery == "dash":
        entry.write_text(manifests.dash_manifest(index, sound, size=size, fps=FPS, file=clip.name), "utf-8")
        return
    playlist = f"{rendition.id}.video.m3u8"
    clip.with_name(playlist).write_text(manifests.media_playlist(index, clip.name), "utf-8")
    entry.write_text(manifests.master_playlist(index, sound, size=size, fps=FPS, playlist=playlist), "utf-8")


def _make_clip(film: Film, rendition: Rendition, clip: Path) -> None:
    clip.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        still = Path(scratch, "still.svg")
        still.write_text(art.still(film, rendition), "utf-8")
        moving = Path(scratch, "moving.txt")
        moving.write_text(_moving(rendition), "utf-8")
        picture = ("-i", str(still), "-filter_complex_script", str(moving), "-map", "[out]")
        if rendition.delivery == "progressive":
            _ffmpeg("-i", str(still), *_chimes(), *picture[2:], "-map", "1:a", *VIDEO, *AUDIO, *PLAIN,
                    "-t", str(CLIP_SECONDS), "-movflags", "+faststart", str(clip))  # fmt: skip
        else:
            _ffmpeg(*picture, *VIDEO, *PLAIN, "-t", str(CLIP_SECONDS), *FRAGMENTED, str(clip))


def _moving(rendition: Rendition) -> str:
    """The filter graph: a clock, and a bar along the lower edge that grows by a sixtieth each second."""
    unit, bar = rendition.width / 1600, 2 * round(rendition.height * 7 / 900)
    clock = r"%{pts\:gmtime\:0\:%M\\\:%S}"
    return (
        f"[0:v]format=yuv420p,loop=-1:1,fps={FPS},trim=duration={CLIP_SECONDS},"
        f"drawtext=font='DejaVu Sans Mono':text='{clock}':x={70 * unit:.0f}:y={788 * unit:.0f}:"
        f"fontsize={100 * unit:.0f}:fontcolor=white[ticking];"
        f"color=c={art.ACCENTS[rendition.height]}:s={rendition.width}x{bar}:r={FPS}:d={CLIP_SECONDS}[bar];"
        f"[ticking][bar]overlay=x='-w+w*floor(t+1)/{CLIP_SECONDS}':y={rendition.height - bar}:eval=frame,"
        "format=yuv420p[out]"
    )


def _chimes(seconds: float = CLIP_SECONDS) -> tuple[str, ...]:
    expression = CHIME.replace(",", r"\,")
    return ("-f", "lavfi", "-i", f"aevalsrc='{expression}':s=8000:d={seconds}")


def _need_ffmpeg() -> None:
    if not shutil.which("ffmpeg"):
        raise MediaError(
            "ffmpeg is needed to make the demo's clips: install it (apt-get install ffmpeg, brew install …)"
        )
    decoders = subprocess.run(
        ["ffmpeg", "-hide_banner", "-decoders"], capture_output=True, text=True, check=True
    ).stdout
    filters = subprocess.run(
        ["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True, check=True
    ).stdout
    if not (re.search(r"\blibrsvg\b", decoders) and re.search(r"\bdrawtext\b", filters)):
        raise MediaError(
            "this ffmpeg can't draw SVG or text: use one built with librsvg and freetype, such as Debian's"
        )


def _ffmpeg(*arguments: str) -> None:
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MediaError(f"ffmpeg failed for {arguments[-1]}:\n{done.stderr[-2000:]}")


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 1 when a clip can't be made or all of them are too big."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.make_media", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--all", action="store_true", help="make every clip anew, not only what is missing")
    options = parser.parse_args(arguments)
    try:
        made = make(load(), MEDIA, everything=options.all)
    except (MediaError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    total = size_of(MEDIA)
    sys.stdout.write("".join(f"made {name}\n" for name in made) + f"{total:,} bytes of {BUDGET_BYTES:,}\n")
    return 0 if total < BUDGET_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
