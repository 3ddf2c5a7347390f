// Puts Swagger UI beside our own files, so that /docs needs nothing from elsewhere.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

const FILES = [
  'swagger-ui.css',
  'index.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'oauth2-redirect.html',
  'oauth2-redirect.js',
  'favicon-16x16.png',
  'favicon-32x32.png',
];

export function swaggerFiles(): Plugin {
  return {
    name: 'swagger-files',
    apply: 'build',
    generateBundle() {
      const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
      for (const name of FILES) {
        this.emitFile({ type: 'asset', fileName: `swagger/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}
