// How the UI is built, tested and served while it is worked on.
/// <reference types="vitest/config" />
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const SWAGGER_FILES = [
  'swagger-ui.css',
  'index.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'oauth2-redirect.html',
  'oauth2-redirect.js',
  'favicon-16x16.png',
  'favicon-32x32.png',
];

/** Puts Swagger UI beside our own files, so that /docs needs nothing from elsewhere. */
function swaggerFiles(): Plugin {
  return {
    name: 'swagger-files',
    apply: 'build',
    generateBundle() {
      const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
      for (const name of SWAGGER_FILES) {
        this.emitFile({ type: 'asset', fileName: `swagger/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}

/** One file for each library that changes rarely, so that browsers keep them over our releases. */
function chunkOf(id: string): string | undefined {
  if (!id.includes('/node_modules/')) return undefined;
  if (/\/node_modules\/(react|react-dom|react-router|scheduler|@tanstack)\//.test(id)) return 'react';
  if (/\/node_modules\/@tabler\//.test(id)) return undefined;
  if (/\/node_modules\/(@mantine|@floating-ui|clsx|react-remove-scroll|react-textarea-autosize)\//.test(id))
    return 'mantine';
  // Fetched only by those who play recordings, or whose network stops WebRTC.
  if (id.includes('/node_modules/hls.js/')) return 'hls';
  // Fetched only by those who download several snapshots.
  if (id.includes('/node_modules/fflate/')) return 'zip';
  return 'media';
}

export default defineConfig({
  plugins: [react(), swaggerFiles()],
  server: {
    port: 5173,
    proxy: { '/api': { target: process.env.VAS_API ?? 'http://127.0.0.1:8000' } },
  },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 900,
    rollupOptions: { output: { manualChunks: chunkOf } },
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
