// Once all is loaded, a service worker keeps it: then the pages need no network.

export function keepOffline() {
  if ("serviceWorker" in navigator && (isSecureContext ?? false)) {
    navigator.serviceWorker.register(new URL("service_worker.js", import.meta.url)).catch(() => {}); // it was only a help
  }
}
