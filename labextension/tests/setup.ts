import { cleanup } from '@testing-library/react';
import { afterEach, vi } from 'vitest';

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

// What jsdom lacks of a browser's layout; nothing has a size in it.
class NoObserver {
  observe(): void {
    return;
  }
  unobserve(): void {
    return;
  }
  disconnect(): void {
    return;
  }
}
if (typeof Element !== 'undefined') {
  Element.prototype.scrollIntoView = () => undefined;
}
Object.assign(globalThis, {
  requestIdleCallback: (then: () => void) => setTimeout(then),
  matchMedia: () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined
  }),
  ResizeObserver: NoObserver,
  IntersectionObserver: NoObserver,
  DragEvent: class extends Event {}
});
