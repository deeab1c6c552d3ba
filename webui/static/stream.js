// Follows the box's event stream; `tell` gets events, and {kind: "away"}, {kind: "over"} (the session has ended), {kind: "here"}.

const AGAIN_MS = 3000;
// A machine without power, or a broken network, only shows by missing heartbeats: this many of them, by the interval
// that the box announces.
const MISSED = 2.5;
// The limit until the box has announced the interval, ms.
const FIRST_MS = 40_000;

export function follow(tell) {
  let last = null;
  const open = () => {
    const source = new EventSource(`/api/v1/events?named=false${last === null ? "" : `&since=${last}`}`);
    let silence;
    let silenceMs = FIRST_MS;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        source.close();
        tell({ kind: "away" });
        open();
      }, silenceMs);
    };
    alive();
    source.addEventListener("alive", (event) => {
      silenceMs = MISSED * JSON.parse(event.data).every_s * 1000;
      alive();
    });
    source.onopen = () => {
      alive();
      tell({ kind: "here" });
    };
    source.onerror = async () => {
      tell({ kind: "away" });
      const closed = source.readyState === EventSource.CLOSED;
      if (closed) clearTimeout(silence);
      // A stream is not told why it ended.
      const answer = await fetch("/api/v1/me").catch(() => null);
      if (answer?.status === 401) tell({ kind: "over" });
      if (closed) setTimeout(open, AGAIN_MS);
    };
    source.onmessage = (event) => {
      alive();
      if (event.lastEventId) last = Number(event.lastEventId);
      tell(JSON.parse(event.data));
    };
  };
  open();
}
