// What is active now, told as it changes: the event stream, and plain requests for as long as that is away.
// Emits "stream" ({ seq, apply, stream }) for every turn of the log; `stream` is null when there is none. Emits "gone"
// when the film is no longer public.

const TYPES = ["snapshot", "stream.activated", "stream.upgraded", "stream.rolled_back", "stream.failed_over",
  "stream.withdrawn", "stream.revised"];
const RETRY_MS = 5_000;
const RETRY_GONE_MS = 30_000; // an editor may show it again

// A snapshot or `active-stream` carries the stream itself, an event what it changed from and to.
export function read(data) {
  if ("apply" in data) return { seq: data.seq, apply: data.apply, stream: data.to };
  const stream = data.stream === undefined ? data : data.stream;
  return { seq: data.seq, apply: "now", stream: stream && stream.url ? stream : null };
}

export class Feed extends EventTarget {
  #seq = -1;

  constructor(eventsUrl, streamUrl) {
    super();
    this.eventsUrl = eventsUrl;
    this.streamUrl = streamUrl;
  }

  open() {
    const source = new EventSource(this.eventsUrl);
    for (const type of TYPES) {
      source.addEventListener(type, (event) => this.#tell(JSON.parse(event.data), type === "snapshot"));
    }
    source.addEventListener("gone", () => this.#gone(source));
    source.addEventListener("error", async () => {
      if (source.readyState !== EventSource.CLOSED) return; // it reconnects by itself
      const answer = await fetch(this.streamUrl, { cache: "no-store", signal: AbortSignal.timeout(10_000) })
        .catch(() => null); // offline: the next round asks again
      if (answer?.status === 404) return this.#gone(source);
      if (answer?.ok) this.#tell(await answer.json(), true);
      this.#again(source, RETRY_MS);
    });
  }

  #gone(source) {
    this.#seq = -1;
    this.dispatchEvent(new CustomEvent("gone"));
    this.#again(source, RETRY_GONE_MS);
  }

  #again(source, pause) {
    source.close();
    setTimeout(() => this.open(), pause);
  }

  // A snapshot is the whole truth, whatever was known; an event is news only if it is newer.
  #tell(data, whole) {
    const news = read(data);
    if (whole ? news.seq === this.#seq : news.seq <= this.#seq) return;
    this.#seq = news.seq;
    this.dispatchEvent(new CustomEvent("stream", { detail: news }));
  }
}
