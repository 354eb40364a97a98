"""DASH probes: manifests in the shapes that packagers write, around real media.

The shapes follow the DASH-IF live simulator's test content (github.com/Dash-Industry-Forum/livesim2), Shaka
Packager's and FFmpeg's output, and the addressing examples of ISO/IEC 23009-1 annex G.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.probe.media import Part
from providers.probe.mpd import NotAManifest, Plan, Unclear, Unusable, plan
from providers.probe.mpd_time import seconds
from providers.types import Delivery, ProbeOutcome, ProbeResult
from tests.providers.media import MediaOrigin, fragments, media

URL = "https://media.example.org/film/manifest.mpd"
BASE = "https://media.example.org/film/"
NAMESPACE = 'xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"'

LIVESIM = f"""<?xml version="1.0" encoding="utf-8"?>
<MPD {NAMESPACE} minBufferTime="PT2S" type="static" mediaPresentationDuration="PT1H0M2.5S">
  <Period id="precambrian" start="PT0S">
    <AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en">
      <SegmentTemplate startNumber="1" initialization="$RepresentationID$/init.mp4" duration="2"
                       media="$RepresentationID$/$Number$.m4s"/>
      <Representation id="A48" codecs="mp4a.40.2" bandwidth="9048000" audioSamplingRate="48000"/>
    </AdaptationSet>
    <AdaptationSet contentType="video" mimeType="video/mp4" par="16:9">
      <SegmentTemplate startNumber="7" initialization="$RepresentationID$/init.mp4" duration="2"
                       media="$RepresentationID$/$Bandwidth$-$Number%05d$.m4s"/>
      <Representation id="V300" codecs="avc1.64001e" bandwidth="300000" width="640" height="360"/>
      <Representation id="V1800" codecs="avc1.640033" bandwidth="1800000" width="3840" height="2160"/>
    </AdaptationSet>
    <AdaptationSet mimeType="video/mp4">
      <EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode" value="1"/>
      <SegmentTemplate media="trick/$Number$.m4s" duration="2"/>
      <Representation id="trick" bandwidth="9900000" width="7680" height="4320"/>
    </AdaptationSet>
    <AdaptationSet mimeType="image/jpeg" contentType="image">
      <SegmentTemplate media="$RepresentationID$/$Number$.jpg" duration="2" startNumber="1"/>
      <Representation bandwidth="10000" id="thumbs" width="1600" height="9000"/>
    </AdaptationSet>
  </Period>
</MPD>"""


def manifest(inside: str, attributes: str = 'type="static"') -> bytes:
    """A manifest of one period with one video adaptation set, whose only representation holds `inside`."""
    return f"""<MPD {NAMESPACE} {attributes}><Period>
        <AdaptationSet mimeType="video/mp4" width="1280" height="720">
          <Representation id="v" bandwidth="500">{inside}</Representation>
        </AdaptationSet></Period></MPD>""".encode()


LIVE = 'type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z"'
TIMELINE = "<SegmentTimeline><S t='100' d='10' r='1'/><S d='5'/><S t='200' d='4' r='{}'/></SegmentTimeline>"
NUMBERED = "<SegmentTemplate media='$Number$.m4s' duration='2'/>"
NOW = 1_000.0


def look(origin: MediaOrigin) -> ProbeResult:
    return origin.probe("/film/manifest.mpd", Delivery.DASH, clock=lambda: NOW)


@pytest.fixture
def livesim(media_origin: MediaOrigin) -> MediaOrigin:
    """A manifest that claims 3840x2160 for what is really 1920x1080."""
    init, rest = fragments("fmp4-1920x1080.mp4")
    media_origin.put("/film/manifest.mpd", LIVESIM)
    media_origin.put("/film/V1800/init.mp4", init)
    media_origin.put("/film/V1800/1800000-00007.m4s", rest)
    media_origin.put("/film/A48/1.m4s", rest)
    return media_origin


def test_the_best_video_is_measured_and_a_lie_is_caught(livesim: MediaOrigin) -> None:
    found = look(livesim)
    assert found.outcome is ProbeOutcome.OK
    assert (found.width, found.height, found.bitrate_bps) == (1920, 1080, 1_800_000)
    assert (found.codecs, found.duration_s, found.live) == ("avc1.640033", 3602.5, False)
    assert found.evidence == ("best of 2 video representations, measured 1920x1080 in MP4, claimed 3840x2160")
    assert found.bytes_read < 10_000


@pytest.mark.parametrize("path", ["/film/V1800/init.mp4", "/film/V1800/1800000-00007.m4s", "/film/A48/1.m4s"])
def test_media_that_is_gone_is_dead(livesim: MediaOrigin, path: str) -> None:
    del livesim.pages[path]
    assert look(livesim).outcome is ProbeOutcome.DEAD


def test_a_single_file_is_read_by_its_ranges(media_origin: MediaOrigin) -> None:
    init, rest = fragments("fmp4-3840x2160.mp4")
    media_origin.put("/film/video.mp4", init + rest)
    media_origin.put(
        "/film/manifest.mpd",
        manifest(
            f"<BaseURL>video.mp4</BaseURL><SegmentBase indexRange='{len(init)}-900'>"
            f"<Initialization range='0-{len(init) - 1}'/></SegmentBase>"
        ),
    )
    found = look(media_origin)
    assert (found.width, found.height) == (3840, 2160)
    assert media_origin.asked[1:] == [("/film/video.mp4", f"bytes=0-{len(init) - 1}")]


def test_what_is_protected_is_measured_by_its_clear_header(livesim: MediaOrigin) -> None:
    protected = LIVESIM.replace(
        'par="16:9">', 'par="16:9"><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>'
    )
    livesim.put("/film/manifest.mpd", protected)
    assert look(livesim).height == 1080


def test_what_is_protected_and_unreadable_goes_by_its_claim(livesim: MediaOrigin) -> None:
    protected = LIVESIM.replace('par="16:9">', 'par="16:9"><ContentProtection schemeIdUri="urn:x"/>')
    livesim.put("/film/manifest.mpd", protected)
    for path in ("/film/V1800/init.mp4", "/film/V1800/1800000-00007.m4s"):
        livesim.put(path, bytes(range(256)) * 4)
    found = look(livesim)
    assert (found.outcome, found.height) == (ProbeOutcome.OK, 2160)
    assert "encrypted" in found.evidence


@pytest.mark.parametrize(
    ("body", "outcome", "said"),
    [
        (b"<!DOCTYPE html><p>Not found", ProbeOutcome.DEAD, "an HTML page"),
        (b"", ProbeOutcome.DEAD, "an empty body"),
        (b"<rss/>", ProbeOutcome.DEAD, "root element is rss"),
        (b"<MPD><Period>", ProbeOutcome.INCONCLUSIVE, "not well-formed"),
        (b"<MPD></MPD>", ProbeOutcome.DEAD, "no period"),
        (b"<MPD><Period/></MPD>", ProbeOutcome.DEAD, "no video"),
        (manifest("<SegmentList/>"), ProbeOutcome.DEAD, "no segments"),
        (manifest("<SegmentTemplate/>"), ProbeOutcome.DEAD, "names no media"),
        (manifest("<BaseURL>http://[::1/</BaseURL>"), ProbeOutcome.DEAD, "no address"),
        (manifest("<BaseURL>file:///etc/passwd</BaseURL>"), ProbeOutcome.DEAD, "file"),
        (manifest(NUMBERED, 'type="dynamic"'), ProbeOutcome.INCONCLUSIVE, "when it began"),
        (manifest(NUMBERED, LIVE.replace("1970", "1971")), ProbeOutcome.INCONCLUSIVE, "not begun"),
        (
            manifest(NUMBERED, LIVE.replace("00:00:00", "00:16:30")),
            ProbeOutcome.INCONCLUSIVE,
            "whole segment",
        ),
        (manifest("<SegmentTemplate media='$Number$'/>", LIVE), ProbeOutcome.INCONCLUSIVE, "how long"),
        (manifest(NUMBERED, LIVE), ProbeOutcome.DEAD, "495.m4s answers 404"),
        (
            b'<MPD><Period xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="p.xml"/></MPD>',
            ProbeOutcome.INCONCLUSIVE,
            "in another file",
        ),
        (manifest("<BaseURL>http://127.0.0.1/a.mp4</BaseURL>"), ProbeOutcome.DEAD, "no public address"),
        (manifest("<BaseURL>https://a.example:444/</BaseURL>"), ProbeOutcome.INCONCLUSIVE, "port 444"),
        (b"<MPD>" + b" " * 600_000 + b"</MPD>", ProbeOutcome.INCONCLUSIVE, "more than 512 kB"),
        (
            b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><MPD>&b;</MPD>',
            ProbeOutcome.INCONCLUSIVE,
            "refused",
        ),
        (
            b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><MPD>&x;</MPD>',
            ProbeOutcome.INCONCLUSIVE,
            "refused",
        ),
    ],
)
def test_a_manifest_that_leads_nowhere(
    media_origin: MediaOrigin, body: bytes, outcome: ProbeOutcome, said: str
) -> None:
    media_origin.put("/film/manifest.mpd", body)
    found = look(media_origin)
    assert (found.outcome, said in found.evidence) == (outcome, True), found.evidence


@pytest.mark.parametrize(
    ("inside", "attributes", "init", "segment"),
    [
        ("<BaseURL>a.mp4</BaseURL>", "", None, Part(BASE + "a.mp4")),
        ("<BaseURL>https://cdn.example/a.mp4</BaseURL>", "", None, Part("https://cdn.example/a.mp4")),
        (
            "<BaseURL>v/</BaseURL><SegmentList><Initialization sourceURL='i.mp4'/>"
            "<SegmentURL media='1.m4s'/><SegmentURL media='2.m4s'/></SegmentList>",
            "",
            Part(BASE + "v/i.mp4"),
            Part(BASE + "v/1.m4s"),
        ),
        (
            "<BaseURL>a.mp4</BaseURL><SegmentList><Initialization range='0-99'/>"
            "<SegmentURL mediaRange='100-199'/></SegmentList>",
            "",
            Part(BASE + "a.mp4", 0, 100),
            Part(BASE + "a.mp4", 100, 100),
        ),
        (
            "<SegmentList><SegmentURL media='1.m4s'/><SegmentURL media='2.m4s'/></SegmentList>",
            LIVE,
            None,
            Part(BASE + "2.m4s"),
        ),
        (
            "<SegmentTemplate initialization='i-$$.mp4' media='$RepresentationID$/$Time$.m4s'>"
            + TIMELINE.format(2)
            + "</SegmentTemplate>",
            "",
            Part(BASE + "i-$.mp4"),
            Part(BASE + "v/100.m4s"),
        ),
        (
            "<SegmentTemplate media='$Time%06d$.m4s'>" + TIMELINE.format(2) + "</SegmentTemplate>",
            LIVE,
            None,
            Part(BASE + "000208.m4s"),
        ),
        (
            "<SegmentTemplate startNumber='40' media='$Number$.m4s'>"
            + TIMELINE.format(2)
            + "</SegmentTemplate>",
            LIVE,
            None,
            Part(BASE + "45.m4s"),
        ),
        (
            "<SegmentTemplate media='$Time$.m4s'>" + TIMELINE.format(-1) + "</SegmentTemplate>",
            LIVE,
            None,
            Part(BASE + "984.m4s"),  # the last that ends by 990, ten seconds ago
        ),
        (
            "<SegmentTemplate media='$Number$.m4s'>"
            "<SegmentTimeline><S t='0' d='10' r='-1'/><S t='100' d='4'/></SegmentTimeline></SegmentTemplate>",
            LIVE,
            None,
            Part(BASE + "11.m4s"),
        ),
        (
            "<SegmentTemplate initialization='i.mp4' media='$Number%05d$.m4s' duration='2' startNumber='7'/>",
            LIVE,
            Part(BASE + "i.mp4"),
            Part(BASE + "00501.m4s"),  # from 988 to 990
        ),
        (
            "<SegmentTemplate media='$Time$.m4s' duration='96' timescale='48' presentationTimeOffset='5'/>",
            LIVE,
            None,
            Part(BASE + f"{5 + 494 * 96}.m4s"),
        ),
        (
            "<SegmentTemplate media='$Time$.m4s' duration='96' timescale='48' presentationTimeOffset='5'/>",
            "",
            None,
            Part(BASE + "5.m4s"),
        ),
        (NUMBERED, LIVE + ' suggestedPresentationDelay="PT1M"', None, Part(BASE + "470.m4s")),
        (NUMBERED, LIVE + ' timeShiftBufferDepth="PT8S"', None, Part(BASE + "498.m4s")),
        (NUMBERED, LIVE + ' mediaPresentationDuration="PT100S"', None, Part(BASE + "50.m4s")),
        (NUMBERED, LIVE.replace("00:00Z", "00:00+00:00"), None, Part(BASE + "495.m4s")),
        (NUMBERED, LIVE.replace("00:00:00Z", "00:15:00.000"), None, Part(BASE + "45.m4s")),
    ],
)
def test_addresses(inside: str, attributes: str, init: Part | None, segment: Part | None) -> None:
    found = plan(manifest(inside, attributes), URL, now=NOW)
    assert (found.init, found.media) == (init, segment)


def test_every_level_adds_to_the_base_and_to_the_template() -> None:
    found = plan(
        f"""<MPD {NAMESPACE}><BaseURL>https://cdn.example/x/</BaseURL>
          <Period><BaseURL>p/</BaseURL><SegmentTemplate startNumber="5" media="$Number$.m4s"/>
            <AdaptationSet mimeType="video/mp4" codecs="avc1.4d401f"><BaseURL>a/</BaseURL>
              <SegmentTemplate initialization="i.mp4"/>
              <Representation width="1280" height="720" bandwidth="1"><BaseURL>r/</BaseURL></Representation>
            </AdaptationSet></Period></MPD>""".encode(),
        URL,
        now=NOW,
    )
    assert found.init == Part("https://cdn.example/x/p/a/r/i.mp4")
    assert found.media == Part("https://cdn.example/x/p/a/r/5.m4s")
    assert (found.codecs, found.width) == ("avc1.4d401f", 1280)


def test_of_a_live_presentation_the_newest_period_counts_that_can_be_played() -> None:
    def period(name: str, timeline: str) -> str:
        return f"""<Period><AdaptationSet mimeType="video/mp4"><Representation id="{name}">
          <SegmentTemplate media="$RepresentationID$-$Number$.m4s">
            <SegmentTimeline>{timeline}</SegmentTimeline>
          </SegmentTemplate></Representation></AdaptationSet></Period>"""

    periods = period("old", "<S d='2'/>") + period("now", "<S d='2' r='4'/>") + period("announced", "")
    found = plan(f"<MPD {NAMESPACE} {LIVE}>{periods}</MPD>".encode(), URL, now=NOW)
    assert found.media == Part(BASE + "now-5.m4s")
    assert found.live


def test_a_period_that_is_announced_for_later_is_passed_over() -> None:
    periods = "".join(
        f"""<Period start="PT{start}S"><AdaptationSet mimeType="video/mp4">
        <Representation id="{start}"><SegmentTemplate media="$RepresentationID$-$Number$.m4s" duration="2"/>
        </Representation></AdaptationSet></Period>"""
        for start in (0, 900, 5_000)
    )
    found = plan(f"<MPD {NAMESPACE} {LIVE}>{periods}</MPD>".encode(), URL, now=NOW)
    assert found.media == Part(BASE + "900-45.m4s")


def test_of_many_empty_periods_no_more_than_fifty_are_tried() -> None:
    film = """<Period><AdaptationSet mimeType="video/mp4"><Representation><BaseURL>a.mp4</BaseURL>
      </Representation></AdaptationSet></Period>"""

    def found(empty: int) -> Plan:
        return plan(f"<MPD {NAMESPACE}>{'<Period/>' * empty}{film}</MPD>".encode(), URL, now=NOW)

    assert found(49).init is None
    with pytest.raises(Unusable, match="lists no video"):
        found(50)


@pytest.mark.parametrize(
    ("before", "film", "after"),
    [
        ('duration="PT30S"', 'duration="PT1H"', 'duration="PT30S"'),
        ('start="PT0S"', 'start="PT30S"', 'start="PT1H"'),
    ],
)
def test_an_advertisement_before_the_film_is_not_taken_for_it(before: str, film: str, after: str) -> None:
    periods = "".join(
        f"""<Period {time}><AdaptationSet mimeType="video/mp4"><Representation width="{width}" height="9">
        <BaseURL>a.mp4</BaseURL></Representation></AdaptationSet></Period>"""
        for width, time in enumerate((before, film, after))
    )
    text = f'<MPD {NAMESPACE} type="static" mediaPresentationDuration="PT1H0M30S">{periods}</MPD>'
    assert plan(text.encode(), URL, now=NOW).width == 1


def test_how_it_is_protected_is_said(livesim: MediaOrigin) -> None:
    protected = """par="16:9"><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc"/>
      <ContentProtection schemeIdUri="urn:uuid:EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED"/>"""
    livesim.put("/film/manifest.mpd", LIVESIM.replace('par="16:9">', protected))
    found = look(livesim)
    assert (found.outcome, found.height) == (ProbeOutcome.OK, 1080)
    assert "measured 1920x1080 in MP4, encrypted (cenc, Widevine)" in found.evidence


def test_a_manifest_nested_beyond_reason_does_no_harm(media_origin: MediaOrigin) -> None:
    media_origin.put(
        "/film/manifest.mpd", b"<MPD><Period>" + b"<a>" * 60_000 + b"</a>" * 60_000 + b"</Period></MPD>"
    )
    assert look(media_origin).outcome is ProbeOutcome.DEAD


@pytest.mark.parametrize(
    "template", ["$RepresentationID$" * 10_000, "$Number%099d$" * 100, "$RepresentationID$" * 2, "x" * 5000]
)
def test_a_short_manifest_makes_no_endless_address(template: str) -> None:
    text = manifest(f"<SegmentTemplate media='{template}'/>").replace(
        b'id="v"', b'id="' + b"v" * 200_000 + b'"'
    )
    with pytest.raises(Unclear, match="more than 4096 characters"):
        plan(text, URL, now=NOW)


def test_a_long_base_is_not_handed_down_a_thousand_times() -> None:
    inside = "<Representation><BaseURL>a</BaseURL></Representation>" * 1_000
    text = f"""<MPD><Period><AdaptationSet mimeType="video/mp4"><BaseURL>{"b" * 200_000}/</BaseURL>{inside}
        </AdaptationSet></Period></MPD>"""
    with pytest.raises(Unclear, match="more than 4096 characters"):
        plan(text.encode(), URL, now=NOW)


def test_a_wrong_namespace_does_no_harm() -> None:
    assert plan(LIVESIM.replace(NAMESPACE, "").encode(), URL, now=NOW) == plan(LIVESIM.encode(), URL, now=NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1H2M3.5S", 3723.5),
        ("P1DT1S", 86401.0),
        ("PT634.566S", 634.566),
        ("", 0.0),
        ("1 hour", 0.0),
        ("P", 0.0),
    ],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


_ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["width", "height", "bandwidth", "media", "initialization", "startNumber", "t", "d", "r", "range",
         "mediaRange", "sourceURL", "mimeType", "contentType", "duration", "id", "type", "schemeIdUri"]
    ),
    st.one_of(
        st.sampled_from(["video/mp4", "video", "dynamic", "$Number%09d$", "$Time$", "0-99", "-1", "9" * 25]),
        st.text(st.characters(codec="ascii", exclude_characters="<&\"", min_codepoint=32), max_size=12),
    ),
    max_size=4,
)  # fmt: skip
_TAGS = st.sampled_from(
    ["Period", "AdaptationSet", "Representation", "BaseURL", "SegmentTemplate", "SegmentList", "SegmentBase",
     "SegmentTimeline", "S", "SegmentURL", "Initialization", "EssentialProperty", "ContentProtection"]
)  # fmt: skip


def _element(tag: str, attributes: dict[str, str], inside: str) -> str:
    told = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{told}>{inside}</{tag}>"


_TREES = st.recursive(
    st.text(st.characters(codec="ascii", exclude_characters="<&", min_codepoint=32), max_size=8),
    lambda inner: st.builds(_element, _TAGS, _ATTRIBUTES, st.lists(inner, max_size=3).map("".join)),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_TREES, _ATTRIBUTES)
def test_no_tree_crashes_the_parser(tree: str, attributes: dict[str, str]) -> None:
    nested = _element("Period", {}, _element("AdaptationSet", {"mimeType": "video/mp4"}, tree))
    try:
        assert isinstance(plan(_element("MPD", attributes, tree + nested).encode(), URL, now=NOW), Plan)
    except (NotAManifest, Unusable, Unclear):
        return


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_crash_the_parser(data: bytes) -> None:
    for text in (data, b"<MPD>" + data + b"</MPD>"):
        with pytest.raises((NotAManifest, Unusable)):
            plan(text, URL, now=NOW)


def test_media_of_a_self_contained_segment_is_measured(media_origin: MediaOrigin) -> None:
    media_origin.put("/film/manifest.mpd", manifest("<SegmentTemplate media='$Number$.ts' duration='2'/>"))
    media_origin.put("/film/1.ts", media("segment-1920x1080.ts"))
    found = look(media_origin)
    assert (found.width, found.height, found.codecs) == (1920, 1080, "avc1.640033")
