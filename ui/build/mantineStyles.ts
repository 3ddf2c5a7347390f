// The module 'virtual:mantine-styles': the CSS of those Mantine components that the sources use, and of the components
// that these are made of. The whole of '@mantine/core/styles.css' is eight times as large.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Plugin } from 'vite';

const ID = 'virtual:mantine-styles';
/** Variables, reset and classes that belong to no component. */
const BASE = ['baseline', 'default-css-variables', 'global'];
/** Mantine's other packages, which use components too. */
const PACKAGES = ['modals', 'notifications'];

export function mantineStyles(root = resolve(import.meta.dirname, '..')): Plugin {
  return {
    name: 'mantine-styles',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      return findMantineStyles(root)
        .map((name) => `import '@mantine/core/styles/${name}.css';`)
        .join('\n');
    },
  };
}

/** Names of the files in '@mantine/core/styles' that are needed, in the order of 'styles.css': later rules override. */
export function findMantineStyles(root: string): string[] {
  const core = join(root, 'node_modules/@mantine/core');
  const files = new Map<string, string>();
  const index = join(core, 'esm/index.mjs');
  for (const [, names, path] of readFileSync(index, 'utf8').matchAll(/import \{([^}]*)\} from "(\.[^"]+)"/g)) {
    for (const name of namesIn(names ?? '')) files.set(name, resolve(dirname(index), path ?? ''));
  }
  const sources = [join(root, 'src'), ...PACKAGES.map((name) => join(root, `node_modules/@mantine/${name}/esm`))];
  const reached = new Set<string>();
  const queue = sources.flatMap(importedNames).flatMap((name) => files.get(name) ?? []);
  for (let path = queue.pop(); path; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const [, next] of readFileSync(path, 'utf8').matchAll(/from "(\.[^"]+)"/g))
      queue.push(resolve(dirname(path), next ?? ''));
  }
  const whole = readFileSync(join(core, 'styles.css'), 'utf8');
  const found = new Map<string, number>();
  for (const path of reached) {
    const name = /([^/]+)\.module\.mjs$/.exec(path)?.[1];
    const className = /"(m_[0-9a-f]+)"/.exec(readFileSync(path, 'utf8'))?.[1];
    if (name && className && existsSync(join(core, `styles/${name}.css`))) found.set(name, whole.indexOf(className));
  }
  return [...BASE, ...[...found.keys()].sort((a, b) => (found.get(a) ?? 0) - (found.get(b) ?? 0))];
}

function importedNames(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(tsx?|mjs)$/.test(name))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(/import \{([^}]*)\} from ['"]@mantine\/core['"]/g),
    ])
    .flatMap(([, names]) => namesIn(names ?? ''));
}

function namesIn(list: string): string[] {
  return list.split(',').map(
    (name) =>
      name
        .trim()
        .replace(/^type /, '')
        .split(' ')[0] ?? '',
  );
}
