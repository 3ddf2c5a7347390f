// Setup before each test file: browser features that jsdom lacks and Mantine needs.
import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, vi } from 'vitest';

configure({ asyncUtilTimeout: 10_000 });
afterEach(cleanup);

Object.defineProperty(window, 'matchMedia', {
  writable: true,
  value: vi.fn((query: string) => ({
    matches: false,
    media: query,
    onchange: null,
    addListener: () => {},
    removeListener: () => {},
    addEventListener: () => {},
    removeEventListener: () => {},
    dispatchEvent: () => false,
  })),
});

class StubResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}
window.ResizeObserver = StubResizeObserver as unknown as typeof ResizeObserver;
window.HTMLCanvasElement.prototype.getContext = () => null;
window.HTMLElement.prototype.scrollIntoView = () => {};
// A visible page with loaded fonts.
Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
Object.defineProperty(document, 'fonts', { value: new EventTarget() });

// The same language on every machine; clock.test.ts tests other languages.
const NativeFormat = Intl.DateTimeFormat;
Intl.DateTimeFormat = new Proxy(NativeFormat, {
  construct: (target, [locale, options]: [string | undefined, Intl.DateTimeFormatOptions | undefined]) =>
    new target(locale ?? 'en-GB', options),
  apply: (target, _, [locale, options]: [string | undefined, Intl.DateTimeFormatOptions | undefined]) =>
    target(locale ?? 'en-GB', options),
});
