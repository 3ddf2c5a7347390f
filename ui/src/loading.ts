// Waits with what the first paint does not need.
import { notificationsStore } from '@mantine/notifications';

const INPUTS = ['pointerover', 'pointerdown', 'keydown', 'focusin'];

/**
 * Resolves at the first notification. Most are about what the user did: at the first input already, so that they are shown
 * also when the server can no longer be reached.
 */
export function untilNoticesAreNeeded(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      for (const name of INPUTS) document.removeEventListener(name, done);
      resolve();
    };
    const stop = notificationsStore.subscribe(done);
    for (const name of INPUTS) document.addEventListener(name, done, { passive: true });
    if (notificationsStore.getState().notifications.length > 0) done();
  });
}
