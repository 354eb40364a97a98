// One rendition in one element: Shaka plays HLS, DASH and MP4 in a <video>, an embed is a sandboxed <iframe>.
// An engine is made for one stream and destroyed with it. Times are in seconds.

const READY_MS = 15_000;
const MIME = { hls: "application/x-mpegurl", dash: "application/dash+xml" };

export function makeEngine(stream) {
  return stream.delivery === "embed" ? new EmbedEngine(stream) : new VideoEngine(stream);
}

export class VideoEngine extends EventTarget {
  #player = null;
  #over = false;

  constructor(stream) {
    super();
    this.stream = stream;
    this.element = document.createElement("video");
    this.element.playsInline = true;
    this.element.muted = true;
    this.element.disableRemotePlayback = true;
    this.element.addEventListener("error", () => this.#failed(this.element.error?.code ?? 0));
  }

  get synchronisable() {
    return "requestVideoFrameCallback" in this.element;
  }

  // Loads the stream, paused at `start`. Rejects when it does not get there in time.
  async load(start = 0) {
    const { shaka } = window;
    shaka.polyfill.installAll();
    if (!shaka.Player.isBrowserSupported()) throw new Error("This browser cannot play streams.");
    this.#player = new shaka.Player();
    // Each rendition is a stream of its own here: take its best picture at once, not a ladder's lowest rung.
    this.#player.configure({ abr: { defaultBandwidthEstimate: 25e6 }, streaming: { bufferingGoal: 20 } });
    this.#player.addEventListener("error", (event) => this.#failed(event.detail.code));
    await within(READY_MS, this.#load(start));
  }

  async #load(start) {
    await this.#player.attach(this.element);
    await this.#player.load(this.stream.url, start, MIME[this.stream.delivery]);
    await this.ready();
  }

  // Resolves once the frame at the present position can be shown and the next ones are there.
  ready() {
    const { element } = this;
    return new Promise((resolve) => {
      const events = ["seeked", "canplay", "canplaythrough", "loadeddata"];
      const look = () => {
        if (element.seeking || element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) return;
        events.forEach((name) => element.removeEventListener(name, look));
        resolve();
      };
      events.forEach((name) => element.addEventListener(name, look));
      look();
    });
  }

  // Resolves once `position` is what the element shows.
  async seek(position) {
    this.element.currentTime = position;
    await within(READY_MS, this.ready());
  }

  // Calls back for every frame shown, with { media: s, shown: ms }, until `stop()`.
  frames(callback) {
    let handle;
    const next = (_now, meta) => {
      handle = this.element.requestVideoFrameCallback(next);
      callback({ media: meta.mediaTime, shown: meta.expectedDisplayTime });
    };
    handle = this.element.requestVideoFrameCallback(next);
    return () => this.element.cancelVideoFrameCallback(handle);
  }

  async destroy() {
    this.#over = true;
    this.element.remove();
    await this.#player?.destroy();
  }

  #failed(code) {
    if (!this.#over) this.dispatchEvent(new CustomEvent("failed", { detail: { code } }));
  }
}

export class EmbedEngine extends EventTarget {
  synchronisable = false;

  constructor(stream) {
    super();
    this.stream = stream;
    this.element = document.createElement("iframe");
    this.element.title = "Film";
    for (const [name, value] of Object.entries(stream.embed)) this.element.setAttribute(name, value);
  }

  async load() {
    this.element.src = this.stream.url;
  }

  async destroy() {
    this.element.remove();
  }
}

function within(ms, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`Not ready after ${ms} ms.`)), ms));
  return Promise.race([promise, late]);
}
