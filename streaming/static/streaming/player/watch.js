// The watch page: the feed says what is active, the show plays it, the page tells what happened.

import { loops } from "./clock.js";
import { Controls } from "./controls.js";
import { Feed } from "./feed.js";
import { Show } from "./show.js";

const RETRY_MS = [3_000, 8_000, 20_000, 60_000];
const REPORT_AGAIN_MS = 30_000;
const STALLED_MS = 12_000;

const stage = document.getElementById("stage");
const live = document.querySelector("[data-live]");
const message = stage.querySelector("[data-message]");
const now = stage.querySelector("[data-now]");
const show = new Show(stage.querySelector("[data-screen]"));
const controls = new Controls(stage, show);
const feed = new Feed(stage.dataset.events, stage.dataset.stream);

let newest = null; // the last news of the feed
let later = false; // whether it waits for the next start
let tries = 0;
let reported = { version: "", at: -Infinity };

feed.addEventListener("stream", ({ detail }) => {
  newest = detail;
  const playingWell = show.video && show.healthy && show.playing;
  later = Boolean(playingWell && detail.apply === "next_play" && detail.stream?.url !== show.stream?.url);
  if (later) announce("Another version starts with the next showing.");
  else show.take(detail.stream);
  refreshFacts();
});
feed.addEventListener("gone", () => { newest = null; show.take(null); });

show.addEventListener("changed", () => {
  const { stream, video } = show;
  stage.dataset.state = stream ? "playing" : "nothing";
  stage.dataset.seq = newest?.seq ?? "";
  say(stream ? "" : "This film cannot be watched right now. It starts here by itself as soon as a stream is found.");
  if (stream && stream.quality !== stage.dataset.quality) showQuality(stream.quality);
  if (video !== controls.video) watchVideo(video);
  tries = 0;
  refreshFacts();
});
show.addEventListener("trouble", ({ detail }) => {
  report(`player_${detail.code}`);
  say("The stream stopped. Looking for another one…");
  retryLater();
});
show.addEventListener("refused", ({ detail }) => {
  report("not_ready", detail.stream.version);
  if (show.engine && show.healthy) return; // what plays goes on
  say("This stream does not start. Looking for another one…");
  retryLater();
});
show.addEventListener("refused-autoplay", () => { show.playing = false; controls.draw(); });
show.addEventListener("ended", async () => {
  if (later) {
    later = false;
    await show.take(newest.stream);
  }
  if (!loops(show.video?.duration)) return;
  show.video.currentTime = 0;
  if (show.playing) show.play().catch(() => controls.draw());
});

function watchVideo(video) {
  controls.video = video;
  controls.follow(video);
  if (!video) return;
  let stalled = 0;
  video.addEventListener("waiting", () => {
    clearTimeout(stalled);
    stalled = setTimeout(() => { if (video === show.video && !video.paused) report("stalled"); }, STALLED_MS);
  });
  video.addEventListener("playing", () => clearTimeout(stalled));
}

function showQuality(quality) {
  const changed = stage.dataset.quality !== undefined;
  stage.dataset.quality = quality;
  now.replaceChildren(Object.assign(document.createElement("span"), {
    className: `quality ${changed ? "switched " : ""}rung-${{ CAM: 10, SD: 20, "720p": 30, "1080p": 40, "1440p": 50, "2160p": 60 }[quality] ?? 0}`,
    textContent: quality,
  }));
  if (changed) announce(`Now in ${quality}.`);
}

// Tries the stream that is active again; after a few failures once with a fresh page, whose policy knows new hosts.
function retryLater() {
  const pause = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
  tries += 1;
  const seq = newest?.seq;
  setTimeout(() => {
    if (show.healthy || newest === null || newest.seq !== seq) return;
    const mark = `marquee:${location.pathname}:${seq}`;
    if (tries === 2 && !sessionStorage.getItem(mark)) {
      sessionStorage.setItem(mark, "reloaded");
      location.reload();
    }
    show.take(newest.stream);
  }, pause);
}

// Tells the server that a stream does not play here. It probes for itself; nothing changes on our word.
function report(code, version = show.stream?.version) {
  const at = performance.now();
  if (!version || (reported.version === version && at - reported.at < REPORT_AGAIN_MS)) return;
  reported = { version, at };
  const body = JSON.stringify({ version, code });
  fetch(stage.dataset.reports, { method: "POST", body, headers: { "Content-Type": "application/json" }, keepalive: true })
    .catch(() => {}); // offline is the likeliest reason of all
}

async function refreshFacts() {
  const answer = await fetch(`${location.pathname}?part=facts`, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  document.getElementById("facts").replaceChildren(...fresh.childNodes);
}

function say(text) {
  message.textContent = text;
  message.hidden = !text;
}

function announce(text) {
  live.textContent = text;
}

feed.open();
