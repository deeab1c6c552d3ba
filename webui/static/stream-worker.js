// One event stream for all windows of a browser.

import { follow } from "./stream.js";

const ports = new Set();
let following = false;

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = (message) => {
    if (message.data === "bye") ports.delete(port);
  };
  port.start();
  if (!following) {
    following = true;
    follow((news) => {
      for (const each of ports) each.postMessage(news);
    });
  }
};
