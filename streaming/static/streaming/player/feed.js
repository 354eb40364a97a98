// What is active now, told as it changes: the event stream, and plain requests for as long as that is away.
// Emits "stream" ({ seq, apply, stream }) whenever the sequence rises; `stream` is null when there is none.

const TYPES = ["snapshot", "stream.activated", "stream.upgraded", "stream.rolled_back", "stream.failed_over",
  "stream.withdrawn", "stream.revised"];
const RETRY_MS = 5_000;

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
    for (const type of TYPES) source.addEventListener(type, (event) => this.#tell(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // it reconnects by itself
      source.close();
      this.#ask().finally(() => setTimeout(() => this.open(), RETRY_MS));
    });
  }

  async #ask() {
    const answer = await fetch(this.streamUrl, { cache: "no-store", signal: AbortSignal.timeout(10_000) })
      .catch(() => null); // offline: the next round asks again
    if (answer?.ok) return this.#tell(await answer.json());
    if (answer?.status === 404) this.dispatchEvent(new CustomEvent("gone"));
  }

  #tell(data) {
    const news = read(data);
    if (news.seq <= this.#seq) return;
    this.#seq = news.seq;
    this.dispatchEvent(new CustomEvent("stream", { detail: news }));
  }
}
