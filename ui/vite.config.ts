// How the UI is built, tested and served while it is worked on.
/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressedFiles } from './build/compressedFiles.ts';
import { mantineStyles } from './build/mantineStyles.ts';
import { swaggerFiles } from './build/swaggerFiles.ts';

const OF_PLAYERS = /\/node_modules\/(hls\.js|mediasoup-client|fflate)\//;
const OF_FORMS =
  /\/node_modules\/(react-number-format|@mantine\/form)\/|components\/(NumberInput|TagsInput|Textarea|Radio|Slider)\/|src\/schedules/;

/**
 * Libraries that every page needs are one file, which browsers keep over our releases. What most pages share is another,
 * without the parts of players and forms: these come with the pages that use them. tests/e2e/test_page_weight.py has the
 * budget.
 */
const GROUPS = [
  { name: 'react', test: /\/node_modules\/(react|react-dom|react-router|scheduler|@tanstack)\//, priority: 2 },
  { name: 'shared', test: (id: string) => !OF_PLAYERS.test(id) && !OF_FORMS.test(id), minShareCount: 4, priority: 1 },
];

export default defineConfig({
  plugins: [react(), mantineStyles(), swaggerFiles(), compressedFiles()],
  server: {
    port: 5173,
    proxy: { '/api': { target: process.env.VAS_API ?? 'http://127.0.0.1:8000' } },
  },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 900,
    rollupOptions: { output: { codeSplitting: { groups: GROUPS } } },
  },
  test: {
    environment: 'jsdom',
    include: ['{src,test}/**/*.test.{ts,tsx}'],
    setupFiles: ['test/setup.ts'],
    restoreMocks: true,
    // Continuous integration runs beside everything else.
    testTimeout: 30_000,
    pool: 'threads',
    maxWorkers: 2,
  },
});
