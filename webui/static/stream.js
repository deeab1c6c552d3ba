// Follows the box's event stream; `tell` hears events, and {kind: "away"} and {kind: "here"}.

const KINDS = [
  "job.accepted", "job.held", "job.preparing", "job.waiting", "job.sending", "job.page", "job.delivered", "job.failed",
  "job.cancelled", "job.unknown", "job.changed", "received.started", "received.page", "received.complete",
  "received.partial", "received.changed", "line.state", "call.progress", "box.started", "outbox.done", "outbox.failed",
];
const AGAIN_MS = 3000;
// The box gives a sign of life every 15 s. Of a machine that lost its power, or a network that was pulled, nothing
// else is heard than that there is none.
const SILENCE_MS = 40_000;

export function follow(tell) {
  let last = null;
  const open = () => {
    const source = new EventSource(`/api/v1/events${last === null ? "" : `?since=${last}`}`);
    let silence;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        source.close();
        tell({ kind: "away" });
        open();
      }, SILENCE_MS);
    };
    alive();
    source.addEventListener("alive", alive);
    source.onopen = () => {
      alive();
      tell({ kind: "here" });
    };
    source.onerror = () => {
      tell({ kind: "away" });
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(silence);
      setTimeout(open, AGAIN_MS);
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        alive();
        if (event.lastEventId) last = Number(event.lastEventId);
        tell(JSON.parse(event.data));
      });
    }
  };
  open();
}
