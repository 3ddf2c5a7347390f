// Which queries an event makes stale.
import { expect, test } from 'vitest';
import type { ServiceEvent } from '../api/eventStream';
import { queryKeys } from '../api/queryKeys';
import { affectedKeys } from './affectedKeys';

const event = (values: Partial<ServiceEvent>): ServiceEvent => ({
  change: 'recorded',
  kind: 'state',
  device_id: 'a',
  plugin: null,
  data: {},
  ...values,
});

test('a state refreshes its stream, its device and the lists, and no other device', () => {
  const keys = affectedKeys(event({}));
  expect(keys).toContainEqual(queryKeys.stream('a'));
  expect(keys).toContainEqual(queryKeys.device('a'));
  expect(keys).toContainEqual(queryKeys.streamList);
  expect(keys).not.toContainEqual(queryKeys.devices);
});

test('the progress of a job and boxes refresh nothing', () => {
  expect(affectedKeys(event({ kind: 'job', change: 'passing' }))).toEqual([]);
  expect(affectedKeys(event({ kind: 'boxes', change: 'passing', plugin: 'eyes' }))).toEqual([]);
});

test('an event of a plugin refreshes the history of its device', () => {
  expect(affectedKeys(event({ kind: 'motion', plugin: 'eyes' }))).toContainEqual(queryKeys.device('a'));
});

test('an event without a device refreshes no device', () => {
  expect(affectedKeys(event({ kind: 'health', device_id: null }))).toContainEqual(queryKeys.health);
});
