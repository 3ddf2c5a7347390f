// What is installed, its version, and the hooks it implements.
import { Skeleton, Table, Text } from '@mantine/core';
import { usePlugins } from '../hooks/usePlugins';
import { Failure } from './Failure';
import { Panel } from './Panel';

export function PluginTable() {
  const { data, error } = usePlugins();
  return (
    <Panel title="Plugins">
      {error && !data && <Failure title="The plugins could not be read" error={error} />}
      {!data && !error && <Skeleton height={64} />}
      {data?.length === 0 && (
        <Text size="sm" c="dimmed">
          No plugin is installed: cameras run, but nothing is shown or kept.
        </Text>
      )}
      {data && data.length > 0 && (
        <Table.ScrollContainer minWidth={520} type="native">
          <Table fz="sm" verticalSpacing={8}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Version</Table.Th>
                <Table.Th>What it does</Table.Th>
                <Table.Th>Hooks</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.map((plugin) => (
                <Table.Tr key={`${plugin.package} ${plugin.name}`}>
                  <Table.Td fw={600}>{plugin.name}</Table.Td>
                  <Table.Td title={plugin.package}>{plugin.version}</Table.Td>
                  <Table.Td>{plugin.description}</Table.Td>
                  <Table.Td c="dimmed" fz="xs" ff="monospace">
                    {plugin.hooks.join(', ')}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Panel>
  );
}
