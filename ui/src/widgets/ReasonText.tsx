// Why a stream is not running, and what would cure it, in one line of plain words.
import { Text } from '@mantine/core';
import type { Reason } from '../api/types';
import { sentence } from '../formatting/sentence';

export function ReasonText({ reason, lineClamp }: { reason: Reason; lineClamp?: number }) {
  const whole = `${sentence(reason.message)}${reason.remedy ? ` ${sentence(reason.remedy)}` : ''}`;
  return (
    <Text
      size="sm"
      c="dimmed"
      lineClamp={lineClamp}
      title={lineClamp ? whole : undefined}
      style={{ overflowWrap: 'anywhere' }}
    >
      {whole}
    </Text>
  );
}
