// The page of notifications: channels with tests and problems, rules with previews, deliveries that are sent again.
import { notifications } from '@mantine/notifications';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renderAt } from '../../test/render';
import { StubApi } from '../../test/StubApi';
import { NotificationsPage } from './NotificationsPage';

const CHANNEL = {
  id: 'c1',
  name: 'Hook',
  kind: 'webhook',
  enabled: true,
  webhook: { url: 'https://hooks.example.org/x', header_names: ['Authorization'], previous_valid_until: null },
  mqtt: null,
  mail: null,
  push: null,
  state: 'failing',
  disabled_reason: null,
  failing_since: '2026-03-01T12:00:00Z',
  last_ok_at: null,
  last_error: 'the receiver answered 500',
  pending: 2,
};
const DELIVERY = {
  id: 7,
  message_id: 'msg_7',
  channel_id: 'c1',
  channel_name: 'Hook',
  kind: 'webhook',
  rule_id: null,
  rule_name: '',
  device_id: null,
  device_name: '',
  state: 'failed',
  title: 'Gate: person',
  text: '',
  attempts: 8,
  created_at: '2026-03-01T12:00:00Z',
  next_try_at: null,
  finished_at: null,
  status: 500,
  answer: 'oops',
  reason: 'refused',
  error: 'the receiver answered 500',
};
const page = (items: unknown[]) => ({
  body: items,
  headers: { 'X-Pagination': JSON.stringify({ total: items.length, total_pages: 1 }) },
});

let api: StubApi;
const show = () => renderAt('/notifications', [{ path: '/notifications', element: <NotificationsPage /> }]);

beforeEach(() => {
  api = new StubApi({
    'GET /notifications/channels': { body: [CHANNEL] },
    'GET /notifications/channels/c1': { body: CHANNEL, headers: { ETag: '"1"' } },
    'PUT /notifications/channels/c1': { body: CHANNEL },
    'POST /notifications/channels/c1/test': { status: 202, body: DELIVERY },
    'POST /notifications/channels': { status: 201, body: CHANNEL },
    'GET /notifications/rules': { body: [] },
    'POST /notifications/rules/preview': {
      body: { events: 9, matched: 3, notifications: 1, newest: [{ title: 'Gate: person', text: 'seen' }] },
    },
    'POST /notifications/rules': { status: 201, body: { name: 'Night' } },
    'GET /notifications/deliveries': page([DELIVERY]),
    'POST /notifications/deliveries/7/retry': { status: 202, body: DELIVERY },
    'GET /devices': page([]),
  });
});
afterEach(() => {
  notifications.clean();
  vi.unstubAllGlobals();
});

test('a channel shows its state and problem, and a test is sent', async () => {
  show();
  const row = await screen.findByTestId('channel-row');
  expect(row).toHaveTextContent('Failing');
  expect(row).toHaveTextContent('The receiver answered 500');
  expect(row).toHaveTextContent('2 waiting');
  await userEvent.click(within(row).getByRole('button', { name: 'Test Hook' }));
  await waitFor(() => expect(api.all('POST /notifications/channels/c1/test')).toHaveLength(1));
});

test('disabling a channel leaves its sealed headers alone', async () => {
  show();
  await userEvent.click(await screen.findByRole('switch', { name: 'Enable Hook' }));
  await waitFor(() => expect(api.all('PUT /notifications/channels/c1')).toHaveLength(1));
  const body = api.all('PUT /notifications/channels/c1')[0]?.body as { enabled: boolean; webhook: object };
  expect(body.enabled).toBe(false);
  expect(body.webhook).toEqual({ url: 'https://hooks.example.org/x' });
});

test('an error of a nested field is shown at its field', async () => {
  api.set('POST /notifications/channels', {
    status: 422,
    body: { errors: { 'webhook.url': ["'10.0.0.1' is not a public address"] } },
  });
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Add channel' }));
  await userEvent.type(await screen.findByLabelText('Name'), 'Other');
  await userEvent.type(screen.getByLabelText('URL'), 'http://10.0.0.1/');
  await userEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Add channel' }));
  await waitFor(() => expect(screen.getByRole('dialog')).toHaveTextContent('is not a public address'));
});

test('a rule is previewed while it is made', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Add rule' }));
  await userEvent.type(await screen.findByLabelText('Name'), 'Night');
  await waitFor(() =>
    expect(screen.getByRole('status', { name: 'Preview' })).toHaveTextContent(
      'Matches 3 events of the last day: 1 notification',
    ),
  );
  await userEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Add rule' }));
  await waitFor(() => expect(api.all('POST /notifications/rules')).toHaveLength(1));
});

test('a delivery shows why it failed, and is sent again', async () => {
  show();
  const row = await screen.findByTestId('delivery-row');
  expect(row).toHaveTextContent('Failed');
  expect(row).toHaveTextContent('Answer: “oops”');
  await userEvent.click(within(row).getByRole('button', { name: 'Send “Gate: person” again' }));
  await waitFor(() => expect(api.all('POST /notifications/deliveries/7/retry')).toHaveLength(1));
});
