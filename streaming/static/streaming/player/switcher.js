// Takes a viewer from one video to another without a gap: B is loaded a little ahead of A, started just before A
// arrives, its rate trimmed until both show the same moment, and put on top in the callback of one of its frames.

import { Agreement, loops, positionAt, trimmed, within } from "./clock.js";

const LEAD_S = 1; // how far ahead B is loaded
const START_S = 0.06; // how long a paused video takes to show its next frame
const ROOM_S = 6; // a switch is not begun when A ends sooner than this
const SYNC_MS = 5_000;
const TRIES = 3;

// Moves `to` (loaded, appended, muted) to the moment that `from` shows. Resolves when it may be put on top.
export async function align(from, to) {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const lead = LEAD_S * 2 ** attempt;
    const a = from.element;
    if (a.paused || a.ended || document.hidden || !from.synchronisable) return follow(from, to);
    await roomToTheEnd(a, lead);
    await to.seek(within(a.currentTime + lead, to.element.duration));
    if (await meet(a, to.element) && (await synchronise(from, to))) return;
    to.element.pause();
    to.element.playbackRate = a.playbackRate;
  }
  return follow(from, to);
}

// Where B should be loaded, given A.
export function startFor(engine) {
  const a = engine.element;
  return a.paused || a.ended ? a.currentTime : a.currentTime + LEAD_S;
}

// Without frames to go by (paused, hidden, an old browser): same position, same state.
async function follow(from, to) {
  const [a, b] = [from.element, to.element];
  await to.seek(within(a.currentTime, b.duration));
  b.playbackRate = a.playbackRate;
  if (a.paused) return;
  await b.play();
  const behind = within(a.currentTime, b.duration) - b.currentTime;
  if (Math.abs(behind) > 0.25) await to.seek(b.currentTime + behind);
}

// A clip about to start over is let do so first.
async function roomToTheEnd(a, lead) {
  const room = Math.min(ROOM_S + lead, a.duration / 2);
  if (a.duration - a.currentTime > room || !loops(a.duration)) return;
  await until(() => a.paused || a.duration - a.currentTime > room, (a.duration + 1) * 1000);
}

// Starts B as A comes to where B waits. False when A is past it already, was paused, or moved elsewhere.
async function meet(a, b) {
  const gap = () => b.currentTime - a.currentTime;
  if (gap() < START_S) return false;
  const came = await until(() => a.paused || a.seeking || gap() <= START_S * a.playbackRate, gap() * 1000 + 2_000);
  if (!came || a.paused || a.seeking || gap() < -1) return false;
  b.playbackRate = a.playbackRate;
  await b.play();
  return true;
}

// Trims B until its frames agree with A's; resolves inside the callback of a frame of B. False when it takes too long.
function synchronise(from, to) {
  return new Promise((resolve) => {
    const agreement = new Agreement();
    let seen = null;
    const watchA = from.frames((frame) => { seen = frame; });
    const done = (agreed) => {
      watchA();
      watchB();
      clearTimeout(late);
      to.element.playbackRate = from.element.playbackRate;
      resolve(agreed);
    };
    const late = setTimeout(() => done(false), SYNC_MS);
    const watchB = to.frames((frame) => {
      if (from.element.paused || from.element.seeking) return done(false);
      if (!seen) return;
      const { playbackRate } = from.element;
      const drift = frame.media - positionAt(seen, frame.shown, playbackRate);
      if (agreement.add(drift)) return done(true);
      to.element.playbackRate = trimmed(drift, playbackRate);
    });
  });
}

// Resolves true as soon as `holds()`, looked at about 60 times a second, or false after `ms`.
function until(holds, ms) {
  return new Promise((resolve) => {
    const end = performance.now() + ms;
    const timer = setInterval(() => {
      const held = holds();
      if (!held && performance.now() < end) return;
      clearInterval(timer);
      resolve(held);
    }, 16);
  });
}
