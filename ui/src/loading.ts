// Waits with what the first paint does not need.

/** Resolves when the browser has loaded the page and is idle. */
export function afterFirstPaint(): Promise<void> {
  return new Promise((resolve) => {
    const whenIdle = () => {
      if ('requestIdleCallback' in window) window.requestIdleCallback(() => resolve(), { timeout: 2_000 });
      else setTimeout(resolve, 200);
    };
    if (document.readyState === 'complete') whenIdle();
    else window.addEventListener('load', whenIdle, { once: true });
  });
}

const RETRY_MS = 5_000;

/** Repeats an import that fails, as in a moment without network, until it succeeds. */
export async function loadUntilDone<T>(importModule: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await importModule();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
