// Addresses are taken apart and put together without losing any character of a password.
import { expect, test } from 'vitest';
import { joinSource, splitSource } from './sourceAddress';

test.each([
  ['rtsp://admin:p@ss#1@10.0.0.1/a', 'rtsp://10.0.0.1/a', 'admin', 'p@ss#1'],
  ['rtsp://admin:p%40ss%231@10.0.0.1:554/a?b=c', 'rtsp://10.0.0.1:554/a?b=c', 'admin', 'p@ss#1'],
  ['rtsp://admin:100%@10.0.0.1/a', 'rtsp://10.0.0.1/a', 'admin', '100%'],
  ['rtsp://admin:a/b@10.0.0.1/a', 'rtsp://10.0.0.1/a', 'admin', 'a/b'],
  ['rtsp://admin@10.0.0.1/a', 'rtsp://10.0.0.1/a', 'admin', ''],
  ['rtsps://a:b:c@[fe80::1]:322/a', 'rtsps://[fe80::1]:322/a', 'a', 'b:c'],
  ['rtsp://10.0.0.1/user@home', 'rtsp://10.0.0.1/user@home', '', ''],
  ['rtsp://10.0.0.1:554/user@home', 'rtsp://10.0.0.1:554/user@home', '', ''],
  ['rtsp://[fe80::1]/a@b', 'rtsp://[fe80::1]/a@b', '', ''],
  ['http://admin:x@10.0.0.1/a', 'http://admin:x@10.0.0.1/a', '', ''],
  ['', '', '', ''],
])('%s is taken apart', (url, address, user, password) => {
  expect(splitSource(url)).toEqual({ address, user, password });
});

test.each(['p@ss#1', 'a:b/c?d', '100% sure', 'süß€', "it's(*)!", '[]{}|\\^`"<>', ' '])(
  'the password %j comes back unchanged, and its URL is valid',
  (password) => {
    const url = joinSource({ address: 'rtsp://10.0.0.1:554/a?b=c', user: 'ad min@x', password });
    expect(new URL(url.replace('rtsp:', 'http:')).host).toBe('10.0.0.1:554');
    expect(splitSource(url)).toEqual({ address: 'rtsp://10.0.0.1:554/a?b=c', user: 'ad min@x', password });
  },
);

test('without user and password the address stays as it is', () => {
  expect(joinSource({ address: ' rtsp://10.0.0.1/a ', user: '', password: '' })).toBe('rtsp://10.0.0.1/a');
});
