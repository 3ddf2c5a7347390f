// Shown while no camera is configured: how to add the first one.
import { Button, Code, Stack, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import { BrandMark } from '../frame/BrandMark';

export function EmptyDevices() {
  return (
    <Stack className="surface" align="center" ta="center" gap="sm" px="lg" py={72}>
      <BrandMark size={56} />
      <Title order={2} fz="xl" mt="sm">
        Add your first camera
      </Title>
      <Text c="dimmed" maw={460}>
        You need its RTSP address, such as <Code>rtsp://192.168.1.64/stream1</Code>, from the camera’s manual or web
        page. You can test the address before you save it.
      </Text>
      <Button component={Link} to="/devices/new" leftSection={<IconPlus size={17} />} size="md" mt="sm">
        Add camera
      </Button>
    </Stack>
  );
}
