// A notification that something was not done, and why.
import { notifications } from '@mantine/notifications';
import { sentence } from '../formatting/sentence';

export function notifyFailure(title: string, error: Error): void {
  notifications.show({ color: 'red', title, message: sentence(error.message), autoClose: 8_000 });
}
