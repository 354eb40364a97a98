// The player's own controls. They act on the show, so they outlive every change of the video underneath.

import { clockText } from "./clock.js";

const IDLE_MS = 3_000;
const STEP_S = 5;

export class Controls {
  #idle = 0;

  constructor(stage, show) {
    this.stage = stage;
    this.show = show;
    const part = (name) => stage.querySelector(`[data-${name}]`);
    this.bar = part("controls");
    this.playButton = part("play");
    this.muteButton = part("mute");
    this.seek = part("seek");
    this.clock = part("clock");
    this.startButton = part("start");
    this.unmuteButton = part("unmute");
    this.fullButton = part("full");
    this.#listen();
  }

  #listen() {
    this.playButton.addEventListener("click", () => this.toggle());
    this.startButton.addEventListener("click", () => this.toggle());
    this.muteButton.addEventListener("click", () => this.mute(!this.show.muted));
    this.unmuteButton.addEventListener("click", () => { this.mute(false); this.playButton.focus(); });
    this.fullButton.addEventListener("click", () => this.fullScreen());
    this.seek.addEventListener("input", () => { this.#jump(Number(this.seek.value)); });
    this.stage.addEventListener("click", (event) => { if (event.target === this.show.video) this.toggle(); });
    for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      this.stage.addEventListener(name, () => this.#awake());
    }
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  // A new video is on: listen to that one.
  follow(video) {
    this.bar.hidden = this.unmuteButton.hidden = video === null;
    if (video === null) return;
    this.#awake();
    for (const name of ["play", "pause", "timeupdate", "durationchange", "seeked", "volumechange"]) {
      video.addEventListener(name, () => { if (video === this.show.video) this.draw(); });
    }
    this.draw();
  }

  draw() {
    const { video, muted } = this.show;
    if (!video) return;
    const duration = Number.isFinite(video.duration) ? video.duration : 0;
    this.stage.toggleAttribute("data-paused", video.paused);
    this.stage.toggleAttribute("data-muted", muted);
    this.playButton.setAttribute("aria-label", video.paused ? "Play" : "Pause");
    this.muteButton.setAttribute("aria-label", muted ? "Sound on" : "Mute");
    this.unmuteButton.hidden = !muted;
    this.startButton.hidden = !video.paused;
    this.seek.max = String(duration);
    this.seek.value = String(video.currentTime);
    this.seek.setAttribute("aria-valuetext", `${clockText(video.currentTime)} of ${clockText(duration)}`);
    this.clock.textContent = `${clockText(video.currentTime)} / ${clockText(duration)}`;
  }

  toggle() {
    if (!this.show.video) return;
    if (this.show.video.paused) this.show.play().catch(() => this.draw());
    else this.show.pause();
  }

  mute(muted) {
    this.show.mute(muted);
    this.draw();
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.stage.requestFullscreen?.();
  }

  #jump(position) {
    if (this.show.video) this.show.video.currentTime = position;
  }

  #awake() {
    clearTimeout(this.#idle);
    this.stage.classList.remove("idle");
    this.#idle = setTimeout(() => this.stage.classList.toggle("idle", this.show.video?.paused === false), IDLE_MS);
  }

  #key(event) {
    const busy = event.target.closest?.("input, button, a, textarea, select");
    if (busy || event.ctrlKey || event.metaKey || event.altKey || !this.show.video) return;
    const { video } = this.show;
    const actions = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      m: () => this.mute(!this.show.muted),
      f: () => this.fullScreen(),
      ArrowLeft: () => this.#jump(Math.max(0, video.currentTime - STEP_S)),
      ArrowRight: () => this.#jump(Math.min(video.duration || 0, video.currentTime + STEP_S)),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}
