// How soon a poster is asked for again.
import { expect, test } from 'vitest';
import { ApiError } from '../api/http';
import { pauseAfter } from './usePoster';

test('a server that was only busy is asked again sooner than one that has no picture', () => {
  const busy = pauseAfter(new ApiError(503, 'no snapshot worker has made a picture in time', 'no_worker'));
  const none = pauseAfter(new ApiError(404, 'there is no picture of this device yet', 'no_picture'));
  expect(busy).toBeLessThan(pauseAfter(null));
  expect(none).toBeGreaterThan(pauseAfter(null));
});
