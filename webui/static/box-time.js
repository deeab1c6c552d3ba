// Times of day in the box's time zone, in which all its pages tell them, wherever the browser is.

const root = document.documentElement;
const zone = known(root.dataset.zone);

// The zone if the browser knows it; else undefined, which stands for the browser's own.
function known(name) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name || undefined }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
});

// What clocks at the box show at a time (ms), as if it were a time in UTC.
function shown(at) {
  const { year, month, day, hour, minute, second } = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

// The time at which clocks at the box show `text`, the value of a field such as 2026-12-01T08:30.
export function timeAt(text) {
  const wanted = Date.parse(`${text}Z`);
  let at = wanted;
  // The second step is for a change of the clocks between the first guess and the result.
  for (let step = 0; step < 2; step += 1) at += wanted - shown(at);
  return new Date(at);
}

// Whether clocks at the box differ from those where the browser is.
export const isElsewhere = () => Math.abs(shown(Date.now()) - Date.now() + new Date().getTimezoneOffset() * 60_000) > 60_000;

export const timeOfDay = (date) =>
  date.toLocaleTimeString(root.dataset.locale, { timeZone: zone, hour: "2-digit", minute: "2-digit" });
