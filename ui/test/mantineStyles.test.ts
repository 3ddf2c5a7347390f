// The styles of Mantine that are shipped are those of the components in use, in Mantine's own order.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { findMantineStyles } from '../build/mantineStyles';

const root = resolve(import.meta.dirname, '..');
const names = findMantineStyles(root);

test('a component in use brings its styles and those of the components that it is made of', () => {
  for (const name of [
    'Button',
    'UnstyledButton',
    'Loader',
    'Tooltip',
    'Menu',
    'Popover',
    'Modal',
    'ModalBase',
    'Overlay',
  ])
    expect(names).toContain(name);
});

test('styles of the components of notifications and dialogs are included', () => {
  expect(names).toContain('Notification');
});

test('components that nothing uses bring nothing', () => {
  for (const name of ['Stepper', 'Cascader', 'Tour', 'AppShell']) expect(names).not.toContain(name);
});

test('the order is that of the whole style sheet, which later rules rely on', () => {
  const whole = readFileSync(resolve(root, 'node_modules/@mantine/core/styles.css'), 'utf8');
  const positions = names
    .slice(3)
    .map((name) => readFileSync(resolve(root, `node_modules/@mantine/core/styles/${name}.css`), 'utf8'))
    .map((css) => whole.indexOf(/\.(m_[0-9a-f]+)/.exec(css)?.[1] ?? '-'));
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
  expect(names.indexOf('UnstyledButton')).toBeLessThan(names.indexOf('Button'));
});
