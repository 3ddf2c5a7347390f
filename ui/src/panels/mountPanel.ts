// Puts the panel of a plugin into an element: loads its module, calls `mount`, and ends it. No React.
import { importModule } from './importModule';
import type { PanelContext } from './panelContext';
import styles from './panel.css?inline';

/** A panel that is not there by then has failed. */
const DEADLINE_MS = 15_000;

export interface MountedPanel {
  /** Rejects when the panel cannot be shown; what it drew is removed then. */
  ready: Promise<void>;
  /** Ends the panel and removes it; may be called twice. */
  end: () => void;
}

/** An error of any kind, as a plugin may throw it. */
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' && thrown ? thrown : 'its module failed without saying why');
}

export function mountPanel(host: HTMLElement, url: string, context: PanelContext): MountedPanel {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const style = document.createElement('style');
  style.textContent = styles;
  const element = document.createElement('div');
  element.className = 'panel';
  root.append(style, element);
  let isEnded = false;
  let unmount: unknown;

  const end = () => {
    isEnded = true;
    style.remove();
    element.remove();
    const ending = unmount;
    unmount = undefined;
    if (typeof ending !== 'function') return;
    try {
      // Also a promise that is rejected concerns nobody else.
      Promise.resolve(ending()).catch(reportError);
    } catch (error) {
      reportError(error);
    }
  };

  const run = async () => {
    const module = await importModule(url).catch((error: unknown) => {
      // The words of browsers contain the address; those of an error in the module itself are useful.
      throw error instanceof TypeError && /import|module/i.test(error.message)
        ? new Error('its module cannot be loaded')
        : error;
    });
    if (isEnded) return;
    if (typeof module['mount'] !== 'function') throw new Error("its module has no function 'mount'");
    unmount = await (module['mount'] as (element: HTMLElement, context: PanelContext) => unknown)(element, context);
    if (isEnded) end();
  };

  let timer: ReturnType<typeof setTimeout>;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('its module did not finish in time')), DEADLINE_MS);
  });
  const ready = Promise.race([run(), deadline])
    .catch((error: unknown) => {
      if (isEnded) return;
      end();
      throw toError(error);
    })
    .finally(() => clearTimeout(timer));
  return { ready, end };
}
