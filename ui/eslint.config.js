// What eslint checks in the UI. tsc checks types, dependency-cruiser imports, prettier the layout.
import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const CONNECTIONS = ['fetch', 'XMLHttpRequest', 'EventSource', 'WebSocket'];
const ONLY_API = 'only src/api talks to the server';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'test/shots'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx}', 'build/*.ts', 'vite.config.ts'],
    extends: [...tseslint.configs.recommended],
    languageOptions: { globals: globals.browser },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'no-console': 'error',
    },
  },
  {
    // Only src/api opens connections. The exceptions: the SFU's signalling socket in SignalingClient, and what
    // hls.js and mediasoup-client open themselves, which only src/players may import (.dependency-cruiser.mjs).
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/api/**', 'src/**/*.test.{ts,tsx}'],
    rules: {
      'no-restricted-globals': ['error', ...CONNECTIONS.map((name) => ({ name, message: ONLY_API }))],
      'no-restricted-properties': [
        'error',
        ...['window', 'globalThis', 'self'].flatMap((object) =>
          CONNECTIONS.map((property) => ({ object, property, message: ONLY_API })),
        ),
        { object: 'navigator', property: 'sendBeacon', message: ONLY_API },
      ],
    },
  },
  {
    files: ['src/players/SignalingClient.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...CONNECTIONS.filter((name) => name !== 'WebSocket').map((name) => ({ name, message: ONLY_API })),
      ],
    },
  },
  { files: ['public/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['test/**/*.mjs'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
);
