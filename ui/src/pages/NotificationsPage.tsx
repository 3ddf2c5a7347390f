// The page of notifications: rules, channels, and what was sent.
import { Stack } from '@mantine/core';
import { ChannelsPanel } from '../notifications/ChannelsPanel';
import { DeliveriesPanel } from '../notifications/DeliveriesPanel';
import { RulesPanel } from '../notifications/RulesPanel';
import { PageHeader } from '../widgets/PageHeader';

export function NotificationsPage() {
  return (
    <>
      <PageHeader title="Notifications" />
      <Stack gap="md">
        <RulesPanel />
        <ChannelsPanel />
        <DeliveriesPanel />
      </Stack>
    </>
  );
}
