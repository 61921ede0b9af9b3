/**
 * Cross-origin isolation, without which browsers hide SharedArrayBuffer: asked for, mended by the
 * service worker where the host sends no headers, or explained in one sentence.
 */

/** Set while the page reloads itself, so that it does so once. */
const RELOADED = 'faultline-reloaded';
/** How long a service worker may take until it controls the page. */
const CONTROL_MS = 4000;

/** null when the page is isolated, or is about to reload; else what is missing and what to do. */
export async function ensureIsolation(): Promise<string | null> {
  if (globalThis.crossOriginIsolated) {
    sessionStorage.removeItem(RELOADED);
    return null;
  }
  if (!globalThis.isSecureContext) {
    return (
      'Shared memory is missing, because this page came by plain http: open it by https or ' +
      'from localhost, for example with `npx faultline serve`.'
    );
  }
  if (globalThis.top !== globalThis.self) {
    return (
      'Shared memory is missing, because the page around this frame is not isolated either: ' +
      'open the lab in a tab of its own.'
    );
  }
  const reason = await addHeaders();
  if (reason === null) {
    sessionStorage.setItem(RELOADED, '1');
    globalThis.location.reload();
    return null;
  }
  return (
    `Shared memory is missing, because the host sends no headers and ${reason}: serve the ` +
    'page with Cross-Origin-Opener-Policy: same-origin and ' +
    'Cross-Origin-Embedder-Policy: require-corp, for example with `npx faultline serve`.'
  );
}

/** Installs the service worker; null when a reload will help, else why it will not. */
async function addHeaders(): Promise<string | null> {
  // Typed as always there; it is not, in private windows of some browsers.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (container === undefined) return 'this browser has no service workers here';
  if (sessionStorage.getItem(RELOADED) !== null) {
    sessionStorage.removeItem(RELOADED);
    return 'the service worker could not add them';
  }
  try {
    await container.register(new URL('./service-worker.js', import.meta.url));
    return (await isControlled(container)) ? null : 'the service worker did not start';
  } catch (error) {
    return `the service worker was refused (${error instanceof Error ? error.message : 'unknown'})`;
  }
}

function isControlled(container: ServiceWorkerContainer): Promise<boolean> {
  if (container.controller !== null) return Promise.resolve(true);
  return new Promise((resolve) => {
    container.addEventListener('controllerchange', () => resolve(true), { once: true });
    setTimeout(() => resolve(container.controller !== null), CONTROL_MS);
  });
}
