// Keeps the list of films fresh: quickly while it is empty, calmly afterwards. The server renders it either way.
const EMPTY_EVERY_MS = 3_000;
const EVERY_MS = 15_000;

const films = document.getElementById("films");
let shown = withoutTimes(films.innerHTML);

async function refresh() {
  const address = new URL(location.href);
  address.searchParams.set("part", "films");
  const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  if (withoutTimes(fresh.innerHTML) === shown) return copyTimes(fresh);
  // Someone who is on a link by keyboard keeps it: the list waits until they have left.
  if (films.contains(document.activeElement)) return;
  shown = withoutTimes(fresh.innerHTML);
  films.replaceChildren(...fresh.childNodes);
}

// "2 minutes ago" changes by itself; that alone must not rebuild the page.
function withoutTimes(html) {
  return html.replace(/<time[^]*?<\/time>/g, "").trim();
}

function copyTimes(fresh) {
  const times = fresh.querySelectorAll("time");
  films.querySelectorAll("time").forEach((time, i) => { time.textContent = times[i].textContent; });
}

function again() {
  const pause = films.querySelector("[data-waiting]") ? EMPTY_EVERY_MS : EVERY_MS;
  setTimeout(async () => {
    if (!document.hidden) await refresh().catch(() => {}); // the next round tries again
    again();
  }, pause);
}

again();
