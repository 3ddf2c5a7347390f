// Shows a notification of a failed action and its error.
import { notifications } from '@mantine/notifications';
import { sentence } from '../formatting/sentence';

export function notifyFailure(title: string, error: Error): void {
  notifications.show({ color: 'red', title, message: sentence(error.message), autoClose: 8_000 });
}
