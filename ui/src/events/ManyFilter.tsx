// A filter by several values that stays one line high: its name for one value, the number for more; ticks in its list.
import { MultiSelect } from '@mantine/core';
import type { IconVideo } from '@tabler/icons-react';
import classes from './EventFilters.module.css';

interface ManyFilterProps {
  /** The singular: "camera". */
  name: string;
  Icon: typeof IconVideo;
  data: { value: string; label: string }[];
  value: string[];
  onChange: (value: string[]) => void;
}

export function ManyFilter({ name, Icon, data, value, onChange }: ManyFilterProps) {
  const [first] = value;
  const only = value.length === 1 ? (data.find((item) => item.value === first)?.label ?? first) : undefined;
  const shown = value.length === 0 ? `Any ${name}` : (only ?? `${value.length} ${name}s`);
  return (
    <MultiSelect
      aria-label={value.length === 0 ? `Filter by ${name}` : `Filter by ${name}: ${shown}`}
      className={`${classes.many} ${value.length > 0 ? classes.chosen : ''}`}
      placeholder={shown}
      title={only}
      leftSection={<Icon size={16} stroke={1.7} />}
      data={data}
      value={value}
      onChange={onChange}
      renderPill={() => null}
      searchable
      clearable
      nothingFoundMessage={`No matching ${name}`}
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
    />
  );
}
