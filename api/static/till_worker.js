// Keeps the till's page and all it needs on the device. VERSION and KEPT are written above by the
// service: another list, or another content of anything in it, makes another worker.
const CACHE = `till-${VERSION}`;

self.addEventListener("install", (event) => {
  const fresh = KEPT.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const forgotten = caches.keys().then((names) =>
    Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(forgotten.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, pathname));
  else if (pathname.startsWith("/static/") || pathname.startsWith("/till/app/")) {
    event.respondWith(kept(request));
  }
});

// The till's page comes from the device; other pages of the till lead to it without network.
async function page(request, pathname) {
  const cache = await caches.open(CACHE);
  const here = await cache.match(pathname);
  if (here) return here;
  try {
    return await fetch(request);
  } catch {
    const french = !self.navigator.language || self.navigator.language.startsWith("fr");
    return Response.redirect(french ? "/till/app/fr" : "/till/app/en");
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}
