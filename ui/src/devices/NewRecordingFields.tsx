// Whether a new camera is recorded, said before it is added.
import { Radio, Stack } from '@mantine/core';
import { Panel } from '../widgets/Panel';

export type NewRecordingMode = 'continuous' | 'off';

interface NewRecordingFieldsProps {
  value: NewRecordingMode;
  onChange: (mode: NewRecordingMode) => void;
}

export function NewRecordingFields({ value, onChange }: NewRecordingFieldsProps) {
  return (
    <Panel title="Recording">
      <Radio.Group aria-label="Recording" value={value} onChange={(mode) => onChange(mode as NewRecordingMode)}>
        <Stack gap="sm">
          <Radio
            value="continuous"
            label="Record always"
            description="From the first minute on, within the limits of retention. The test shows how much a day takes."
          />
          <Radio
            value="off"
            label="Do not record"
            description="Recording settings also offer a weekly plan and recording on events."
          />
        </Stack>
      </Radio.Group>
    </Panel>
  );
}
