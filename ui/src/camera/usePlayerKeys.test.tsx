// Keys mean the same wherever the focus is, except in what needs them itself.
import { fireEvent, render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { usePlayerKeys } from './usePlayerKeys';

const act = vi.fn();

function Page() {
  usePlayerKeys({ ' ': () => act('space'), arrowleft: () => act('left'), f: () => act('f') });
  return (
    <>
      <div role="slider" tabIndex={0} aria-label="timeline" aria-valuenow={0} data-player-keys />
      <div role="slider" tabIndex={0} aria-label="volume" aria-valuenow={0} />
      <input aria-label="text" />
      <button type="button">button</button>
    </>
  );
}

test.each([
  ['timeline', ' ', 'space'],
  ['timeline', 'ArrowLeft', 'left'],
  ['timeline', 'f', 'f'],
  ['volume', ' ', 'space'],
  ['volume', 'ArrowLeft', null],
  ['text', ' ', null],
  ['text', 'f', null],
  ['button', ' ', null],
  ['button', 'ArrowLeft', 'left'],
])('with the focus on %s, %j does %s', (name, key, expected) => {
  act.mockClear();
  render(<Page />);
  fireEvent.keyDown(name === 'button' ? screen.getByRole('button') : screen.getByLabelText(name), { key });
  if (expected) expect(act).toHaveBeenCalledWith(expected);
  else expect(act).not.toHaveBeenCalled();
});
