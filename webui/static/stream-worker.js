// One event stream for all windows of a browser.

import { follow } from "./stream.js";

const ports = new Set();
let following = false;
let standing = { kind: "connecting" }; // then "here" or "away": what each window hears first

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = (message) => {
    if (message.data === "bye") ports.delete(port);
  };
  port.start();
  port.postMessage(standing);
  if (!following) {
    following = true;
    follow((news) => {
      if (news.kind === "away" || news.kind === "here") standing = news;
      for (const each of ports) each.postMessage(news);
    });
  }
};
