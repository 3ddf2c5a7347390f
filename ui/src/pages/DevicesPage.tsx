// All cameras with their state, filters and actions.
import { Button, Center, Group, SegmentedControl, Stack } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { IconLayoutGrid, IconList, IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import { DeletedDevices } from '../devices/DeletedDevices';
import { DeviceCards } from '../devices/DeviceCards';
import { DeviceFilters } from '../devices/DeviceFilters';
import { DeviceListSkeleton } from '../devices/DeviceListSkeleton';
import { DeviceTable } from '../devices/DeviceTable';
import { EmptyDevices } from '../devices/EmptyDevices';
import { Failure } from '../widgets/Failure';
import { ListFooter } from '../widgets/ListFooter';
import { NoMatches } from '../widgets/NoMatches';
import { PageHeader } from '../widgets/PageHeader';
import { StateFilter } from '../devices/StateFilter';
import { useDeviceList } from '../devices/useDeviceList';
import { useDeviceListQuery } from '../devices/useDeviceListQuery';
import { useKnownTags } from '../widgets/useKnownTags';
import { useStreamList } from '../devices/useStreamList';

const VIEWS = [
  { value: 'list', name: 'List', Icon: IconList },
  { value: 'grid', name: 'Grid', Icon: IconLayoutGrid },
];

export function DevicesPage() {
  const { query, change, isFiltered, pageSizes } = useDeviceListQuery();
  const devices = useDeviceList(query);
  const streams = useStreamList();
  const tags = useKnownTags();
  const isNarrow = useMediaQuery('(max-width: 48rem)', false, { getInitialValueInEffect: false });
  const [view, setView] = useLocalStorage({
    key: 'vas.devices.view',
    defaultValue: 'list',
    getInitialValueInEffect: false,
  });
  const isGrid = view === 'grid';
  const page = devices.data;
  const isEmpty = page?.total === 0 && !isFiltered;

  return (
    <>
      <PageHeader title="Cameras">
        {!isEmpty && (
          <>
            <SegmentedControl
              aria-label="View"
              size="sm"
              value={isGrid ? 'grid' : 'list'}
              onChange={setView}
              data={VIEWS.map(({ value, name, Icon }) => ({
                value,
                label: (
                  <Center title={name} h={20}>
                    <Icon size={17} stroke={1.7} aria-hidden />
                    <span className="visually-hidden">{name}</span>
                  </Center>
                ),
              }))}
            />
            <Button component={Link} to="/devices/new" leftSection={<IconPlus size={16} />}>
              Add camera
            </Button>
          </>
        )}
      </PageHeader>
      <Stack gap="sm">
        {devices.error && (
          <Failure
            title="The cameras could not be loaded"
            error={devices.error}
            onRetry={() => void devices.refetch()}
          />
        )}
        {isEmpty ? (
          <EmptyDevices />
        ) : (
          (page || devices.isPending) && (
            <>
              <Group justify="space-between" gap="xs">
                <StateFilter streams={streams.data} value={query.state} onChange={(state) => change({ state })} />
                <DeviceFilters query={query} tags={tags} onChange={change} hasSort={isNarrow || isGrid} />
              </Group>
              {!page && <DeviceListSkeleton />}
              {page && page.items.length === 0 && <NoMatches onClear={() => change({ q: '', tag: '', state: '' })} />}
              {page && page.items.length > 0 && (
                <div>
                  {isNarrow || isGrid ? (
                    <DeviceCards devices={page.items} streams={streams.data} isGrid={isGrid} />
                  ) : (
                    <DeviceTable
                      devices={page.items}
                      streams={streams.data}
                      sort={query.sort}
                      onSort={(sort) => change({ sort })}
                    />
                  )}
                  <ListFooter
                    page={query.page}
                    pageSize={query.pageSize}
                    pageSizes={pageSizes}
                    shown={page.items.length}
                    total={page.total}
                    totalPages={page.totalPages}
                    onPage={(number) => change({ page: number })}
                    onPageSize={(pageSize) => change({ pageSize })}
                  />
                </div>
              )}
            </>
          )
        )}
        <DeletedDevices />
      </Stack>
    </>
  );
}
