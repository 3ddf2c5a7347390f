// The time zone of the camera that a page is about, for the times below it.
import { createContext } from 'react';

export const CameraZone = createContext<string | null>(null);
