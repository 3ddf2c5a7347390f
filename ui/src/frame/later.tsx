// Parts of a page whose code is loaded when they are first shown: what its first paint does not need.
import { lazy, Suspense, useEffect, useState, type ComponentType, type ReactNode } from 'react';
import { loadPart } from './PageNotLoaded';

/** A component that is loaded when it is first rendered; `placeholder` is in its place until then. */
export function later<Props extends object>(
  importPart: () => Promise<ComponentType<Props>>,
  placeholder: ReactNode = null,
): ComponentType<Props> {
  const Part = lazy(async () => ({ default: await loadPart(importPart) }));
  return function Later(props: Props) {
    return (
      <Suspense fallback={placeholder}>
        <Part {...props} />
      </Suspense>
    );
  };
}

/** A dialog that is loaded when it is first opened, and stays from then on, so that it can close gently. */
export function laterDialog<Props extends { isOpen: boolean }>(
  importDialog: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  const Dialog = later<Props>(async () => opening(await importDialog()));
  return function LaterDialog(props: Props) {
    const [wasOpen, setWasOpen] = useState(props.isOpen);
    if (props.isOpen && !wasOpen) setWasOpen(true);
    return wasOpen ? <Dialog {...props} /> : null;
  };
}

/** Rendered closed first: a dialog notes what had the focus, to give it back, when it changes from closed to open. */
function opening<Props extends { isOpen: boolean }>(Dialog: ComponentType<Props>): ComponentType<Props> {
  return function Opening(props: Props) {
    const [isThere, setThere] = useState(false);
    useEffect(() => setThere(true), []);
    return <Dialog {...props} isOpen={props.isOpen && isThere} />;
  };
}
