// Options that are polygons over the picture: zones, in which something counts, and masks, in which nothing does.
import { Input } from '@mantine/core';
import type { Shape } from '../polygons/geometry';
import { PolygonEditor } from '../polygons/PolygonEditor';
import { problemOf } from '../polygons/shapeTexts';
import { inputProps, type OptionFieldProps } from './fieldProps';

const MOST_SHAPES = 32;
const MOST_POINTS = 64;
const NONE: readonly Shape[] = [];

/** The polygons among the values of an option; what is none is left out. */
export function shapesOf(value: unknown): readonly Shape[] {
  if (!Array.isArray(value)) return NONE;
  const shapes = value as Partial<Shape>[];
  return shapes.every((one) => Array.isArray(one?.points))
    ? (shapes as Shape[])
    : (shapes.filter((one) => Array.isArray(one?.points)) as Shape[]);
}

function PolygonsField({ noun, ...props }: OptionFieldProps & { noun: string }) {
  const { schema, value, values, name, deviceId, onChange, onInvalid } = props;
  const { label, description, error } = inputProps(props);
  const fields = schema.items?.properties ?? {};
  const has = { name: 'name' in fields, color: 'color' in fields, labels: 'labels' in fields };
  const context = Object.entries(values)
    .filter(([other]) => other !== name)
    .flatMap(([, one]) => (Array.isArray(one) && one.length > 0 ? shapesOf(one) : NONE));
  const change = (shapes: readonly Shape[]) => {
    onChange(shapes);
    onInvalid(problemOf(shapes, noun, has.name));
  };
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <div role="group" aria-label={label} data-path={name} tabIndex={-1}>
        <PolygonEditor
          deviceId={deviceId}
          noun={noun}
          shapes={shapesOf(value)}
          context={context}
          has={has}
          mostShapes={schema.maxItems ?? MOST_SHAPES}
          mostPoints={fields.points?.maxItems ?? MOST_POINTS}
          onChange={change}
        />
      </div>
    </Input.Wrapper>
  );
}

export const ZonesField = (props: OptionFieldProps) => <PolygonsField noun="zone" {...props} />;
export const MasksField = (props: OptionFieldProps) => <PolygonsField noun="mask" {...props} />;
