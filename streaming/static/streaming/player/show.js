// What is on the screen: one engine at a time, replaced by the newest stream asked for. If a replacement fails,
// what was playing stays. Emits "changed" (another stream is on, or none), "refused", "trouble" and "ended".

import { makeEngine } from "./engine.js";
import { align, startFor } from "./switcher.js";

const NOTHING_ASKED = Symbol("nothing asked");

export class Show extends EventTarget {
  engine = null;
  healthy = false;
  playing = true; // what the viewer wants, whatever the element does just now
  muted = true;
  #asked = NOTHING_ASKED;
  #busy = false;

  constructor(screen) {
    super();
    this.screen = screen;
  }

  get video() {
    return this.engine?.element instanceof HTMLVideoElement ? this.engine.element : null;
  }

  get stream() {
    return this.engine?.stream ?? null;
  }

  // Shows `stream` (null: nothing). Whatever was asked for before and is not yet on is forgotten.
  async take(stream) {
    this.#asked = stream;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#asked !== NOTHING_ASKED) {
      const next = this.#asked;
      this.#asked = NOTHING_ASKED;
      await this.#change(next);
    }
    this.#busy = false;
  }

  async play() {
    this.playing = true;
    await this.video?.play();
  }

  pause() {
    this.playing = false;
    this.video?.pause();
  }

  mute(muted) {
    this.muted = muted;
    if (this.video) this.video.muted = muted;
  }

  async #change(stream) {
    const old = this.engine;
    if (stream === null) return this.#put(null, old);
    if (old && this.healthy && old.stream.url === stream.url && old.stream.delivery === stream.delivery) {
      old.stream = stream;
      return this.#emit("changed");
    }
    const engine = makeEngine(stream);
    engine.element.className = "waiting";
    this.screen.append(engine.element);
    let failed = null;
    engine.addEventListener("failed", (event) => this.#failed(engine, (failed = event.detail.code)));
    try {
      await this.#prepare(engine, old);
      if (failed !== null) throw new Error(`It failed with code ${failed}.`);
    } catch (error) {
      await engine.destroy();
      return this.#emit("refused", { stream, error });
    }
    this.#put(engine, old);
  }

  async #prepare(engine, old) {
    const video = this.video;
    await engine.load(video ? (this.healthy ? startFor(old) : video.currentTime) : 0);
    if (video && this.healthy && engine.element instanceof HTMLVideoElement) await align(old, engine);
  }

  // Runs in the callback of a frame of the new video: nothing here may wait before it is on top.
  #put(engine, old) {
    this.engine = engine;
    this.healthy = engine !== null;
    if (this.video) {
      this.video.muted = this.muted;
      this.video.volume = old?.element.volume ?? 1;
      this.video.addEventListener("ended", () => this.#emit("ended"));
    }
    if (engine) engine.element.className = "showing";
    if (old) {
      old.element.muted = true;
      old.element.className = "waiting";
      requestAnimationFrame(() => old.destroy());
      setTimeout(() => old.destroy(), 500); // a hidden tab has no animation frames
    }
    if (this.video?.paused && this.playing) this.video.play().catch(() => this.#emit("refused-autoplay"));
    this.#emit("changed");
  }

  #failed(engine, code) {
    if (engine !== this.engine || !this.healthy) return;
    this.healthy = false;
    this.#emit("trouble", { code });
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
