import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['labextension/tests/**/*.test.{ts,tsx}'],
    setupFiles: ['labextension/tests/setup.ts'],
    restoreMocks: true,
    // A busy machine makes nothing wrong, only slow.
    testTimeout: 30_000,
    pool: 'threads',
    poolOptions: { threads: { maxThreads: 2 } },
    // JupyterLab's packages import styles and each other without file endings: let Vite read them.
    server: {
      deps: { inline: [/@jupyterlab/, /@jupyter\//, /@lumino/, /uplot/] }
    }
  }
});
