// Time, as arithmetic: where two videos stand against each other, and how to bring them together. Pure.

export const AGREED_S = 0.012; // closer than a frame at 60 per second: nobody sees it
export const MAX_TRIM = 0.15; // a voice does not change noticeably within 15 %
const CLIP_S = 180; // what is shorter is a clip and plays round and round
const GAIN = 1.5; // share of the drift that one second of trimming removes

// Whether a film of this length starts over at its end.
export function loops(duration) {
  return duration > 0 && duration <= CLIP_S;
}

// A position inside a film, whichever length the other rendition had: clips wrap, films stop at the end.
export function within(position, duration) {
  if (!(duration > 0) || duration === Infinity) return Math.max(0, position);
  if (loops(duration)) return ((position % duration) + duration) % duration;
  return Math.min(Math.max(0, position), duration);
}

// Where a video that showed `frame` ({ media: s, shown: ms }) stands at `now` (ms), playing at `rate`.
export function positionAt(frame, now, rate) {
  return frame.media + ((now - frame.shown) / 1000) * rate;
}

// The playback rate that takes a video which is `drift` seconds ahead back to the other, whose rate is `rate`.
export function trimmed(drift, rate) {
  return rate * (1 - Math.min(MAX_TRIM, Math.max(-MAX_TRIM, drift * GAIN)));
}

// Agreement that lasts: frames are shown on the screen's own beat, so one close pair can be chance.
export class Agreement {
  #close = 0;

  add(drift) {
    this.#close = Math.abs(drift) <= AGREED_S ? this.#close + 1 : 0;
    return this.#close >= 2;
  }
}

// "1:02:03", "4:05".
export function clockText(seconds) {
  if (!Number.isFinite(seconds)) return "0:00";
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${m}:${String(s).padStart(2, "0")}`;
  return h ? `${h}:${tail.padStart(5, "0")}` : tail;
}
