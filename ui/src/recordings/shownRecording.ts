// The state of a recording as the screen may claim it: never "Recording" while its camera sends nothing.
import type { Recording, RecordingState } from '../api/recordingTypes';
import type { Stream } from '../api/types';

type StreamState = Pick<Stream, 'desired' | 'observed'> | undefined;

/** A recorder notices some seconds later than the stream's own state that there is nothing more to record. */
export function shownState(observed: RecordingState, stream: StreamState): RecordingState {
  if (observed !== 'recording' || !stream || stream.observed === 'running') return observed;
  return stream.desired === 'running' ? 'interrupted' : 'off';
}

const STARTING = { code: 'recorder_starting', message: 'recording is starting', remedy: null };

/** `isPatient`: a recorder that is away is taken for one that is starting, as after a camera was added. */
export function shownRecording(recording: Recording, stream: StreamState, isPatient: boolean): Recording {
  const observed = shownState(recording.observed, stream);
  const isAway = recording.reason?.code === 'recorder_away';
  if (isAway && isPatient) return { ...recording, observed: 'waiting', reason: STARTING };
  return observed === recording.observed ? recording : { ...recording, observed };
}
