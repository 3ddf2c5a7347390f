// Lists stay in their order, and what changes changes in its place.
import { expect, test } from 'vitest';
import { buildEvent } from '../../test/eventFactories';
import { applyChanges, joinPages, mergeChanges } from './eventList';

const at = (id: number, minute: number, change = {}) =>
  buildEvent({ id, start: `2026-03-02T10:${String(minute).padStart(2, '0')}:00.000Z`, ...change });
const LIST = [at(3, 30), at(2, 20), at(1, 10)];
const ids = (events: { id: number }[]) => events.map(({ id }) => id);

test('a changed event keeps its place, and the list stays the same object without a change', () => {
  const changed = at(2, 20, { zone: 'Door' });
  expect(applyChanges(LIST, [changed], false).events.map(({ zone }) => zone)).toEqual([null, 'Door', null]);
  expect(applyChanges(LIST, [at(9, 50)], false).events).toBe(LIST);
});

test('new events wait, newest first; one that is older than what has been read belongs to a later page', () => {
  const fresh = [at(4, 40), at(5, 50), at(6, 5)];
  expect(ids(applyChanges(LIST, fresh, true).added)).toEqual([5, 4]);
  expect(ids(applyChanges(LIST, fresh, false).added)).toEqual([5, 4, 6]);
});

test('merging puts new events at their places and goes on from the new cursor', () => {
  const pages = [
    { events: LIST.slice(0, 2), cursor: 10, hasMore: true },
    { events: LIST.slice(1), cursor: 11, hasMore: true },
  ];
  expect(ids(joinPages(pages))).toEqual([3, 2, 1]);
  const [merged, ...rest] = mergeChanges(pages, [at(4, 25), at(2, 20, { end: null })], 42);
  expect(rest).toEqual([]);
  expect(ids(merged!.events)).toEqual([3, 4, 2, 1]);
  expect(merged!.events[2]!.end).toBeNull();
  expect([merged!.cursor, merged!.hasMore]).toEqual([42, true]);
});

test('events that began at the same moment are ordered by their ids, as the API orders them', () => {
  expect(ids(applyChanges([], [at(1, 10), at(2, 10)], false).added)).toEqual([2, 1]);
});
