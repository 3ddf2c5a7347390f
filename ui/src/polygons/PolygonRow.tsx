// One polygon in the list below the picture: its name, colour and labels.
import { ActionIcon, Button, ColorSwatch, Popover, TagsInput, Text, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { sentence } from '../formatting/sentence';
import { COLORS, colorOf } from './colors';
import type { Shape, ShapeParts } from './geometry';
import classes from './Polygons.module.css';

interface PolygonRowProps {
  has: ShapeParts;
  noun: string;
  shape: Shape;
  index: number;
  title: string;
  isSelected: boolean;
  problem: string | undefined;
  onSelect: () => void;
  onChange: (part: Partial<Shape>, key: string | null) => void;
  onRemove: () => void;
}

const MOST_NAME = 60;

function ColorChoice({
  shape,
  index,
  title,
  onChange,
}: Pick<PolygonRowProps, 'shape' | 'index' | 'title' | 'onChange'>) {
  const color = colorOf(shape, index);
  return (
    <Popover position="bottom-start" withinPortal>
      <Popover.Target>
        <ActionIcon variant="default" size="lg" aria-label={`Colour of ${title}`}>
          <span className={classes.swatch} style={{ background: color }} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <div className={classes.colors}>
          {COLORS.map((choice) => (
            <ColorSwatch
              key={choice}
              component="button"
              type="button"
              color={choice}
              size={28}
              aria-label={`Colour ${choice}`}
              aria-pressed={choice === color}
              data-chosen={choice === color || undefined}
              onClick={() => onChange({ color: choice }, null)}
            />
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

export function PolygonRow(props: PolygonRowProps) {
  const { shape, index, title, noun, has, isSelected, problem, onSelect, onChange, onRemove } = props;
  const count = shape.points.length;
  return (
    <li className={classes.row} data-selected={isSelected || undefined}>
      {has.color ? (
        <ColorChoice shape={shape} index={index} title={title} onChange={onChange} />
      ) : (
        <span className={classes.swatch} style={{ background: colorOf(shape, index), marginTop: '0.5rem' }} />
      )}
      {has.name ? (
        <TextInput
          className={classes.named}
          size="sm"
          aria-label={`Name of ${noun} ${index + 1}`}
          value={shape.name ?? ''}
          maxLength={MOST_NAME}
          error={problem && sentence(problem)}
          onFocus={onSelect}
          onChange={(event) => onChange({ name: event.currentTarget.value }, `name ${index}`)}
        />
      ) : (
        <Text className={classes.named} size="sm" mt={6}>
          {title}
          {problem && (
            <Text span size="xs" c="var(--vas-bad)">
              {' '}
              {sentence(problem)}
            </Text>
          )}
        </Text>
      )}
      {has.labels && (
        <TagsInput
          className={classes.named}
          size="sm"
          aria-label={`Labels of ${title}`}
          placeholder={shape.labels?.length ? undefined : 'All labels'}
          acceptValueOnBlur
          value={shape.labels ?? []}
          onChange={(labels) => onChange({ labels }, null)}
        />
      )}
      <Button size="compact-sm" mt={4} variant="subtle" onClick={onSelect} aria-label={`Edit the corners of ${title}`}>
        {count} {count === 1 ? 'corner' : 'corners'}
      </Button>
      <ActionIcon variant="subtle" size="lg" color="gray" aria-label={`Delete ${title}`} onClick={onRemove}>
        <IconTrash size={16} stroke={1.7} />
      </ActionIcon>
    </li>
  );
}
