// A reason and its remedy as text, for example why a stream is not running.
import { Text } from '@mantine/core';
import type { Reason } from '../api/types';
import { sentence } from '../formatting/sentence';

export function ReasonText({ reason, lineClamp }: { reason: Reason; lineClamp?: number }) {
  const text = `${sentence(reason.message)}${reason.remedy ? ` ${sentence(reason.remedy)}` : ''}`;
  return (
    <Text
      size="sm"
      c="dimmed"
      lineClamp={lineClamp}
      title={lineClamp ? text : undefined}
      style={{ overflowWrap: 'anywhere' }}
    >
      {text}
    </Text>
  );
}
