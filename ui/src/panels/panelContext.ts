// What the module of a panel gets from the page.
import { requestForPanel, type PanelRequest } from '../api/panels';

export type PanelTheme = 'light' | 'dark';

export interface PanelContext {
  /** Null on the page Health. */
  readonly deviceId: string | null;
  readonly theme: PanelTheme;
  /** Resolves to the JSON of the reply. Rejects with the error of the API: `message`, `status`, `reason`, `errors`. */
  readonly api: (path: string, options?: PanelRequest) => Promise<unknown>;
  /** Calls back after each change; returns a function that ends it. */
  readonly onTheme: (callback: (theme: PanelTheme) => void) => () => void;
}

/** The theme of the page, as the panels on it see it. */
export class ThemeFeed {
  private readonly callbacks = new Set<(theme: PanelTheme) => void>();
  theme: PanelTheme;

  constructor(theme: PanelTheme) {
    this.theme = theme;
  }

  readonly listen = (callback: (theme: PanelTheme) => void) => {
    this.callbacks.add(callback);
    return () => {
      this.callbacks.delete(callback);
    };
  };

  set(theme: PanelTheme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    for (const callback of [...this.callbacks]) {
      try {
        callback(theme);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

export function createPanelContext(deviceId: string | null, feed: ThemeFeed): PanelContext {
  return Object.freeze({
    deviceId,
    get theme() {
      return feed.theme;
    },
    api: requestForPanel,
    onTheme: feed.listen,
  });
}
