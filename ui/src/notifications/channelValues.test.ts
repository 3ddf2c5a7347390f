// How the values of the channel form become the fields of a channel.
import { expect, test } from 'vitest';
import { channelFieldsOf, newChannel, parseHeaders, placeChannelErrors } from './channelValues';
import { decodeKey, nameOfBrowser } from './pushSubscription';

test('headers are read line by line', () => {
  expect(parseHeaders('Authorization: Bearer a:b\n\n X-Key:1 \nbroken')).toEqual({
    Authorization: 'Bearer a:b',
    'X-Key': '1',
    broken: '',
  });
});

test('an empty port follows the encryption, and a password that was not touched is not sent', () => {
  const values = { ...newChannel(), kind: 'mqtt' as const, name: 'B', host: ' broker ', tls: true, password: null };
  const fields = channelFieldsOf(values);
  expect(fields.mqtt).toMatchObject({ host: 'broker', port: 8883 });
  expect(fields.mqtt).not.toHaveProperty('password');
  expect(channelFieldsOf({ ...values, password: '' }).mqtt).toHaveProperty('password', null);
  expect(fields.webhook).toBeNull();
});

test('errors of the server find their fields', () => {
  expect(
    placeChannelErrors({ 'mail.recipients': 'x', username: 'y', mqtt: "'port' must be less", other: 'z' }),
  ).toEqual({ recipients: 'x', username: 'y', port: "'port' must be less" });
});

test('keys are decoded, and browsers have names for people', () => {
  expect([...decodeKey('BP-_')]).toEqual([4, 255, 191]);
  expect(nameOfBrowser('Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36')).toBe(
    'Chrome on Android',
  );
});
