// Keeps the site's files, so that a page that was seen once works without a network. VERSION is that of their contents.

const VERSION = "{{version}}";
const FILES = {{files}}; // what the laboratory and the playground need
const HERE = new URL(".", self.location).href;

self.addEventListener("install", (event) => {
  const files = FILES.map((name) => new Request(name, { cache: "no-cache" })); // the browser's cache may have older ones
  event.waitUntil(caches.open(HERE + VERSION).then((cache) => cache.addAll(files)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith(HERE) && name !== HERE + VERSION;
  const removed = caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))));
  event.waitUntil(removed.then(() => self.clients.claim()));
});

// What is kept comes first: another version of the site is another service worker.
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || !event.request.url.startsWith(HERE)) return;
  event.respondWith(answered(event.request));
});

async function answered(request) {
  const cache = await caches.open(HERE + VERSION);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200) cache.put(request, response.clone());
  return response;
}
