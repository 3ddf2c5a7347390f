// The import rules reject wrong imports: each rule is tested with a small source tree of its own.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { ESLint } from 'eslint';
import { afterEach, expect, test } from 'vitest';
// @ts-expect-error a configuration in JavaScript, without types
import config, { RUNGS } from '../.dependency-cruiser.mjs';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The names of the rules that these files violate. */
async function violatedRules(files: Record<string, string>): Promise<string[]> {
  const baseDir = mkdtempSync(join(tmpdir(), 'vas-ui-imports-'));
  folders.push(baseDir);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(baseDir, name)), { recursive: true });
    writeFileSync(join(baseDir, name), text);
  }
  const { doNotFollow, tsPreCompilationDeps } = config.options;
  const result = await cruise(['src'], {
    baseDir,
    doNotFollow,
    tsPreCompilationDeps,
    validate: true,
    ruleSet: { forbidden: config.forbidden } as IFlattenedRuleSet,
  });
  const { violations } = (result.output as ICruiseResult).summary;
  return [...new Set(violations.map(({ rule }) => rule.name))].sort();
}

const EMPTY = 'export const a = 1;\n';
const importing = (path: string): string => `import { a } from '${path}';\nexport const b = a;\n`;

test('every folder of src has a rung, and every rung a folder', () => {
  const names = readdirSync(join(import.meta.dirname, '../src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  expect([...RUNGS].sort()).toEqual(names.sort());
});

test('a downward import is accepted, an upward import is rejected, also of a type or a style sheet', async () => {
  expect(await violatedRules({ 'src/camera/a.ts': importing('../jobs/a'), 'src/jobs/a.ts': EMPTY })).toEqual([]);
  expect(await violatedRules({ 'src/jobs/a.ts': importing('../camera/a'), 'src/camera/a.ts': EMPTY })).toEqual([
    'jobs-imports-downward',
  ]);
  expect(
    await violatedRules({
      'src/api/a.ts': "import type { A } from '../widgets/a';\nexport type B = A;\n",
      'src/widgets/a.ts': 'export type A = 1;\n',
      'src/jobs/b.ts': "import '../camera/b.module.css';\n",
      'src/camera/b.module.css': '',
    }),
  ).toEqual(['api-imports-downward', 'jobs-imports-downward']);
});

test('a folder without a rung is rejected, whether it imports, is imported or neither', async () => {
  expect(await violatedRules({ 'src/misc/a.ts': importing('../api/a'), 'src/api/a.ts': EMPTY })).toEqual([
    'folder-without-a-rung',
  ]);
  expect(await violatedRules({ 'src/pages/a.ts': importing('../misc/a'), 'src/misc/a.ts': EMPTY })).toEqual([
    'import-of-a-folder-without-a-rung',
  ]);
  expect(await violatedRules({ 'src/misc/a.ts': EMPTY })).toEqual(['unused-folder-without-a-rung']);
});

test('an import circle is rejected, also of types only', async () => {
  const type = (name: string, path: string) => `import type { A } from '${path}';\nexport type ${name} = A[];\n`;
  expect(await violatedRules({ 'src/jobs/a.ts': type('A', './b'), 'src/jobs/b.ts': type('A', './a') })).toEqual([
    'no-circle',
  ]);
});

test('nothing imports the assembly or the tests', async () => {
  expect(await violatedRules({ 'src/jobs/a.ts': importing('../theme'), 'src/theme.ts': EMPTY })).toEqual([
    'assembly-is-on-top',
  ]);
  expect(await violatedRules({ 'src/jobs/a.ts': importing('../../test/a'), 'test/a.ts': EMPTY })).toEqual([
    'tests-stay-out',
  ]);
});

test('React and the media libraries stay in their folders', async () => {
  const react = "import { useState } from 'react';\nexport const a = useState;\n";
  const hls = "import Hls from 'hls.js';\nexport const a = Hls;\n";
  expect(await violatedRules({ 'src/players/a.ts': react })).toEqual(['no-react']);
  expect(await violatedRules({ 'src/timeline/ticks.ts': react })).toEqual([
    'timeline-react-in-components-and-hooks-only',
  ]);
  expect(await violatedRules({ 'src/timeline/useA.ts': react, 'src/players/a.ts': hls })).toEqual([]);
  expect(await violatedRules({ 'src/camera/a.ts': hls })).toEqual(['media-libraries-in-players-only']);
});

test('only src/api opens connections, except for the signalling socket', async () => {
  const eslint = new ESLint({ cwd: join(import.meta.dirname, '..') });
  const rejected = async (filePath: string, code: string): Promise<number> =>
    (await eslint.lintText(code, { filePath }))
      .flatMap(({ messages }) => messages)
      .filter(({ ruleId }) => ruleId?.startsWith('no-restricted')).length;
  const all =
    "void fetch('/');\nnew XMLHttpRequest();\nnew EventSource('/');\nnew WebSocket('/');\nvoid window.fetch('/');\nnavigator.sendBeacon('/');\n";
  expect(await rejected('src/api/a.ts', all)).toBe(0);
  expect(await rejected('src/devices/a.ts', all)).toBe(6);
  expect(await rejected('src/players/FootageFeed.ts', "new WebSocket('/');\n")).toBe(1);
  expect(await rejected('src/players/SignalingClient.ts', "new WebSocket('/');\nvoid fetch('/');\n")).toBe(1);
});
