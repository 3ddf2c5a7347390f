// The interval until a poster is requested again.
import { expect, test } from 'vitest';
import { ApiError } from '../api/http';
import { pauseAfter } from './usePoster';

test('a busy server is polled sooner than one without a picture', () => {
  const busy = pauseAfter(new ApiError(503, 'no snapshot worker has made a picture in time', 'no_worker'));
  const none = pauseAfter(new ApiError(404, 'there is no picture of this device yet', 'no_picture'));
  expect(busy).toBeLessThan(pauseAfter(null));
  expect(none).toBeGreaterThan(pauseAfter(null));
});
