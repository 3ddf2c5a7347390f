// The form's own validation and the request that it sends.
import { expect, test } from 'vitest';
import { buildDevice } from '../../test/factories';
import { checkSourceUrl, fieldsOf, NEW_DEVICE, valuesOf } from './deviceValues';

test.each([
  'rtsp://10.0.0.1/a',
  'rtsps://user:p%40ss@cam.local:322/a?b=c',
  'rtsp://***@10.0.0.1/a',
  'rtsp://[fe80::1]:554/a',
])('%s is a valid address', (url) => {
  expect(checkSourceUrl(url)).toBeNull();
});

test.each([
  ['', /such as rtsp/],
  ['http://10.0.0.1/a', /begin with rtsp/],
  ['file:///etc/passwd', /begin with rtsp/],
  ['rtsp:///a', /no host/],
  ['rtsp://user:pass@/a', /no host/],
  ['rtsp://10.0.0.1/a b', /spaces/],
])('%j is rejected with a message that says what is valid', (url, message) => {
  expect(checkSourceUrl(url)).toMatch(message);
});

test('an empty sub-stream is sent as null, and texts are trimmed', () => {
  const fields = fieldsOf({ ...NEW_DEVICE, name: ' Gate ', source_url: ' rtsp://a/b ', sub_source_url: ' ' });
  expect(fields).toMatchObject({ name: 'Gate', source_url: 'rtsp://a/b', sub_source_url: null });
});

test('only editable fields are sent back', () => {
  expect(Object.keys(fieldsOf(valuesOf(buildDevice()))).sort()).toEqual([
    'description',
    'enabled',
    'idle_seconds',
    'location',
    'name',
    'source_url',
    'start_mode',
    'sub_source_url',
    'tags',
    'transport',
  ]);
});
