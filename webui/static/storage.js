// What a browser keeps for a page, and what stands in for it where it is forbidden: that lasts as long as the page.

// `name`: sessionStorage or localStorage.
export function storage(name) {
  try {
    return window[name] ?? inMemory();
  } catch {
    return inMemory();
  }
}

function inMemory() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, String(value)); },
    removeItem: (key) => { kept.delete(key); },
  };
}
