// Addresses are taken apart and put together without losing any character of a password.
import { expect, test } from 'vitest';
import { fieldsOf, NEW_DEVICE } from './deviceValues';
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
  ['http://admin:x@10.0.0.1/a', 'http://10.0.0.1/a', 'admin', 'x'],
  ['//admin:x@10.0.0.1/a', '//admin:x@10.0.0.1/a', '', ''],
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

const PASSWORDS = [
  ...['p@ss', 'a:b', 'a/b', 'what?', 'no#1', '100%', 'a+b', 'a&b=c', '=x', 'wow!', '$HOME', 'x^2', 'a[1]', ']['],
  ...['a|b', 'back\\slash', 'a"b', ' lead and trail ', 'éü€', 'Z'.repeat(63), 'p%40ss', '%2F', 'a@b:c/d?e#f%g'],
  ...["'; DROP", 'e\u0301', '***', '<>{}`~'],
];

test.each(PASSWORDS)('the password %j reaches the camera through the form as it was typed', (password) => {
  const values = { ...NEW_DEVICE, source_url: 'rtsp://10.0.0.1:554/a?b=c', user: 'admin', password };
  const sent = new URL(fieldsOf(values).source_url.replace('rtsp:', 'http:'));
  expect([sent.host, sent.pathname + sent.search]).toEqual(['10.0.0.1:554', '/a?b=c']);
  expect(decodeURIComponent(sent.password)).toBe(password);
});

test.each(PASSWORDS)('a pasted URL with the password %j is taken apart', (password) => {
  // What looks encoded is decoded: nobody can tell.
  const found = splitSource(`rtsp://admin:${password}@10.0.0.1:554/a?b=c`);
  const meant = { 'p%40ss': 'p@ss', '%2F': '/' }[password] ?? password;
  expect(found).toEqual({ address: 'rtsp://10.0.0.1:554/a?b=c', user: 'admin', password: meant });
});

test('without user and password the address stays as it is', () => {
  expect(joinSource({ address: ' rtsp://10.0.0.1/a ', user: '', password: '' })).toBe('rtsp://10.0.0.1/a');
});
