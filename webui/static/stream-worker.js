// One event stream for all windows of a browser.

import { follow } from "./stream.js";

const ports = new Set();
let following = false;
let standing = { kind: "connecting" }; // then "here", "away" or "over": what each window hears first

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
      if (["away", "here", "over"].includes(news.kind)) standing = news;
      for (const each of ports) each.postMessage(news);
    });
  }
};
