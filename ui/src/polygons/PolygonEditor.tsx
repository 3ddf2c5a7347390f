// The editor of polygons over the newest picture of a camera: the picture, its tools, and the list of polygons.
import { Button } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconCheck,
  IconPlus,
  IconPolygon,
  IconTrash,
  IconX,
} from '@tabler/icons-react';
import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { findProblems, MIN_POINTS, removePoint, type Points, type Shape, type ShapeParts } from './geometry';
import { PolygonCanvas } from './PolygonCanvas';
import { PolygonPicture } from './PolygonPicture';
import { PolygonRow } from './PolygonRow';
import { nextName, titleOfShape } from './shapeTexts';
import { usePolygonHistory } from './usePolygonHistory';
import classes from './Polygons.module.css';

export interface PolygonEditorProps {
  deviceId: string | undefined;
  /** What one polygon is called: "zone". */
  noun: string;
  shapes: readonly Shape[];
  /** Polygons of other options, shown only. */
  context: readonly Shape[];
  has: ShapeParts;
  mostShapes: number;
  mostPoints: number;
  onChange: (shapes: readonly Shape[]) => void;
}

/** Where a polygon begins that the keyboard adds. */
const FIRST_POINTS: Points = [
  [0.35, 0.35],
  [0.65, 0.35],
  [0.65, 0.65],
  [0.35, 0.65],
];

export function PolygonEditor(props: PolygonEditorProps) {
  const { deviceId, noun, shapes, context, has, mostShapes, mostPoints } = props;
  const [selected, setSelected] = useState<number | null>(null);
  const [corner, setCorner] = useState<number | null>(null);
  const [drawing, setDrawing] = useState<Points | null>(null);
  const { change, undo, redo, canUndo, canRedo } = usePolygonHistory(shapes, props.onChange);
  const chosen = selected !== null && selected < shapes.length ? selected : null;
  const corners = chosen === null ? [] : (shapes[chosen]?.points ?? []);
  const titleOf = (index: number) => titleOfShape(shapes[index], index, noun);

  const select = (index: number | null) => {
    setSelected(index);
    setCorner(null);
  };
  const add = (points: Points) => {
    change([...shapes, { ...(has.name && { name: nextName(shapes, noun) }), points }]);
    setDrawing(null);
    select(shapes.length);
  };
  const replace = (index: number, shape: Partial<Shape>, key: string | null = null) =>
    change(
      shapes.map((one, at) => (at === index ? { ...one, ...shape } : one)),
      key,
    );
  const remove = (index: number) => {
    change(shapes.filter((_, at) => at !== index));
    select(null);
  };
  const finish = () => {
    if (drawing && drawing.length >= MIN_POINTS) add(drawing);
  };
  const pressKey = (event: KeyboardEvent) => {
    const isText = event.target instanceof HTMLInputElement;
    if (isText || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key === 'z' && !event.shiftKey) undo();
    else if (key === 'y' || (key === 'z' && event.shiftKey)) redo();
    else return;
    event.preventDefault();
  };

  const tool = (label: string, icon: ReactNode, onClick: () => void, isDisabled = false) => (
    <Button size="compact-sm" variant="default" leftSection={icon} onClick={onClick} disabled={isDisabled}>
      {label}
    </Button>
  );
  let hint = `Choose a ${noun} to change it, or add one.`;
  if (drawing) {
    hint =
      drawing.length < MIN_POINTS
        ? 'Press on the picture for each corner.'
        : 'Press on the first corner, or Finish, to close it.';
  } else if (chosen !== null) {
    hint = 'Drag corners, or press an edge for a new one. Keys: arrows move a corner, Delete removes it, + adds one.';
  } else if (shapes.length === 0) hint = `There is no ${noun} yet.`;

  return (
    <div onKeyDown={pressKey}>
      <div className={classes.tools}>
        {drawing ? (
          <>
            {tool('Finish', <IconCheck size={15} />, finish, drawing.length < MIN_POINTS)}
            {tool('Last corner', <IconArrowBackUp size={15} />, () => setDrawing(drawing.slice(0, -1)))}
            {tool('Cancel drawing', <IconX size={15} />, () => setDrawing(null))}
          </>
        ) : (
          <>
            <Button
              size="compact-sm"
              variant="light"
              leftSection={<IconPlus size={15} />}
              disabled={shapes.length >= mostShapes}
              onClick={(event) => {
                select(null);
                // Pressed by a key, not by a pointer: there is nothing to draw with.
                if (event.detail === 0) add(FIRST_POINTS);
                else setDrawing([]);
              }}
            >
              Add {noun}
            </Button>
            {tool('Undo', <IconArrowBackUp size={15} />, undo, !canUndo)}
            {tool('Redo', <IconArrowForwardUp size={15} />, redo, !canRedo)}
            {chosen !== null &&
              tool(
                'Remove corner',
                <IconPolygon size={15} />,
                () => {
                  replace(chosen, { points: removePoint(corners, corner ?? -1) });
                  setCorner(null);
                },
                corner === null || corners.length <= MIN_POINTS,
              )}
            {chosen !== null && tool(`Delete ${noun}`, <IconTrash size={15} />, () => remove(chosen))}
          </>
        )}
      </div>
      <PolygonCanvas
        shapes={shapes}
        context={context}
        titleOf={titleOf}
        selected={chosen}
        onSelect={select}
        corner={corner}
        onCorner={setCorner}
        drawing={drawing}
        onDrawing={setDrawing}
        onFinish={finish}
        onCancel={() => (drawing && drawing.length >= MIN_POINTS ? finish() : setDrawing(null))}
        onChange={(index, points, key) => replace(index, { points }, key)}
        maxPoints={mostPoints}
      >
        <PolygonPicture deviceId={deviceId} />
      </PolygonCanvas>
      <p className={classes.hint}>{hint}</p>
      {shapes.length > 0 && (
        <ul className={classes.list}>
          {shapes.map((shape, index) => (
            <PolygonRow
              key={index}
              shape={shape}
              index={index}
              title={titleOf(index)}
              noun={noun}
              has={has}
              isSelected={index === chosen}
              problem={findProblems(shape.points)[0]?.message}
              onSelect={() => select(index)}
              onChange={(part, key) => replace(index, part, key)}
              onRemove={() => remove(index)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}
