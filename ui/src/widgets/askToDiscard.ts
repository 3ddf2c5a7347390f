// The question before unsaved changes are dropped.
import { askFirst } from './askFirst';

export const askToDiscard = (): Promise<boolean> =>
  askFirst({
    title: 'Leave without saving?',
    text: 'Your changes have not been saved.',
    confirm: 'Discard changes',
    cancel: 'Keep editing',
  });

/** For dialogs: closes at once without changes, otherwise after the question. */
export function closeUnlessDirty(isDirty: boolean, close: () => void): void {
  if (!isDirty) close();
  else void askToDiscard().then((isAgreed) => isAgreed && close());
}
