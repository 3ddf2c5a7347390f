// Polygons over a picture: drawn, and changed by mouse, finger and keyboard.
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { colorOf } from './colors';
import {
  findProblems,
  insertPoint,
  isInside,
  middleOf,
  MIN_POINTS,
  moveAll,
  movePoint,
  pointAt,
  removePoint,
  type Point,
  type Points,
  type Shape,
} from './geometry';
import { findCorner, findEdge, REACH_MOUSE, REACH_TOUCH, type Size } from './hits';
import classes from './Polygons.module.css';

interface PolygonCanvasProps {
  shapes: readonly Shape[];
  /** Polygons of other options, shown only. */
  context: readonly Shape[];
  /** What a polygon is called, for people. */
  titleOf: (index: number) => string;
  selected: number | null;
  onSelect: (index: number | null) => void;
  corner: number | null;
  onCorner: (index: number | null) => void;
  /** The corners of a polygon that is being drawn; null while none is. */
  drawing: Points | null;
  onDrawing: (points: Points) => void;
  onFinish: () => void;
  onCancel: () => void;
  onChange: (index: number, points: Points, key: string | null) => void;
  maxPoints: number;
  /** The picture. */
  children: ReactNode;
}

interface Drag {
  index: number;
  /** The corner that is moved; null: the whole polygon. */
  corner: number | null;
  points: Points;
  from: Point;
  hasMoved: boolean;
}

const STEP = 1 / 200;
const LARGE_STEP = 1 / 20;
const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const percent = (part: number) => `${(part * 100).toFixed(2)}%`;
const outline = (points: Points) => points.map(([x, y]) => `${x},${y}`).join(' ');

export function PolygonCanvas(props: PolygonCanvasProps) {
  const { shapes, context, titleOf, selected, corner, drawing, maxPoints, onSelect, onCorner, onChange } = props;
  const surface = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [pointer, setPointer] = useState<Point | null>(null);
  /** What to focus after the next rendering. */
  const wanted = useRef<string | null>(null);
  useEffect(() => {
    if (wanted.current === null) return;
    const found = surface.current?.querySelector<SVGElement>(wanted.current);
    if (!found) return;
    wanted.current = null;
    found.focus({ preventScroll: true });
  });

  const pointsOf = (index: number): Points => (drag?.index === index ? drag.points : (shapes[index]?.points ?? []));
  const shown = selected === null ? [] : pointsOf(selected);
  const problems = selected === null || drag ? [] : findProblems(shown);
  const focusCorner = (index: number) => {
    wanted.current = `[data-corner="${index}"]`;
    onCorner(index);
  };

  const sizeOf = (): Size => {
    const { width, height } = surface.current?.getBoundingClientRect() ?? { width: 0, height: 0 };
    return { width: width || 1, height: height || 1 };
  };
  const placeOf = (event: PointerEvent): Point => {
    const box = surface.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return pointAt((event.clientX - box.left) / (box.width || 1), (event.clientY - box.top) / (box.height || 1));
  };

  const draw = (place: Point, size: Size, reach: number) => {
    const points = drawing ?? [];
    if (points.length >= MIN_POINTS && findCorner(points.slice(0, 1), place, size, reach) === 0) props.onFinish();
    else if (points.length < maxPoints) props.onDrawing([...points, place]);
  };
  const press = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0) return;
    const [place, size] = [placeOf(event), sizeOf()];
    const reach = event.pointerType === 'mouse' ? REACH_MOUSE : REACH_TOUCH;
    event.preventDefault();
    if (drawing) {
      draw(place, size, reach);
      return;
    }
    if (selected !== null) {
      const points = pointsOf(selected);
      const hit = findCorner(points, place, size, reach);
      const edge = hit === null && points.length < maxPoints ? findEdge(points, place, size, reach) : null;
      if (hit !== null || edge !== null) {
        const at = hit ?? (edge as number) + 1;
        const next = hit === null ? insertPoint(points, at, place) : points;
        event.currentTarget.setPointerCapture?.(event.pointerId);
        setDrag({ index: selected, corner: at, points: next, from: place, hasMoved: hit === null });
        focusCorner(at);
        return;
      }
    }
    const hits = shapes.flatMap((shape, index) => (isInside(shape.points, place) ? [index] : []));
    const index = selected !== null && hits.includes(selected) ? selected : (hits.at(-1) ?? null);
    if (index !== null && index === selected) {
      event.currentTarget.setPointerCapture?.(event.pointerId);
      setDrag({ index, corner: null, points: pointsOf(index), from: place, hasMoved: false });
    }
    onSelect(index);
    onCorner(null);
  };
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const place = placeOf(event);
    if (drawing) setPointer(place);
    if (!drag) return;
    if (drag.corner !== null) {
      setDrag({ ...drag, points: movePoint(drag.points, drag.corner, place), hasMoved: true });
    } else {
      const points = moveAll(shapes[drag.index]?.points ?? [], place[0] - drag.from[0], place[1] - drag.from[1]);
      setDrag({ ...drag, points, hasMoved: true });
    }
  };
  const drop = () => {
    if (drag?.hasMoved) onChange(drag.index, drag.points, null);
    setDrag(null);
  };

  const remove = (index: number) => {
    if (selected === null || shown.length <= MIN_POINTS) return;
    onChange(selected, removePoint(shown, index), null);
    focusCorner(Math.min(index, shown.length - 2));
  };
  const add = (index: number) => {
    if (selected === null || shown.length >= maxPoints) return;
    const next = shown[(index + 1) % shown.length] as Point;
    onChange(selected, insertPoint(shown, index + 1, middleOf(shown[index] as Point, next)), null);
    focusCorner(index + 1);
  };
  const pressKeyOfCorner = (event: KeyboardEvent, index: number) => {
    const way = ARROWS[event.key];
    if (way && selected !== null) {
      const step = event.shiftKey ? LARGE_STEP : STEP;
      const [x, y] = shown[index] as Point;
      const to = pointAt(x + way[0] * step, y + way[1] * step);
      onChange(selected, movePoint(shown, index, to), `move ${selected} ${index}`);
    } else if (event.key === 'Delete' || event.key === 'Backspace') remove(index);
    else if (event.key === 'Insert' || event.key === '+') add(index);
    else if (event.key === 'Escape') {
      wanted.current = `[data-shape="${selected}"]`;
      onSelect(null);
      onCorner(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const pressKeyOfShape = (event: KeyboardEvent, index: number) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onSelect(index);
    focusCorner(0);
  };
  const pressKeyOfDrawing = (event: KeyboardEvent) => {
    if (!drawing) return;
    if (event.key === 'Enter') props.onFinish();
    else if (event.key === 'Escape') props.onCancel();
    else if (event.key === 'Backspace') props.onDrawing(drawing.slice(0, -1));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const rubber = drawing && pointer ? [...drawing, pointer] : drawing;
  return (
    <div className={classes.canvas} data-busy={drawing !== null || selected !== null || undefined}>
      {props.children}
      <svg
        ref={surface}
        className={classes.surface}
        data-drawing={drawing !== null || undefined}
        data-testid="polygons"
        role="group"
        aria-label="Polygons over the picture"
        tabIndex={drawing ? 0 : -1}
        onPointerDown={press}
        onPointerMove={move}
        onPointerUp={drop}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => setPointer(null)}
        onKeyDown={pressKeyOfDrawing}
      >
        <svg viewBox="0 0 1 1" preserveAspectRatio="none" width="100%" height="100%">
          {context.map((shape, index) => (
            <polygon key={index} className={classes.context} points={outline(shape.points)} />
          ))}
          {shapes.map((shape, index) => (
            <polygon
              key={index}
              className={classes.shape}
              points={outline(pointsOf(index))}
              style={{ '--color': colorOf(shape, index) } as React.CSSProperties}
              data-shape={index}
              data-selected={index === selected || undefined}
              role="button"
              aria-label={`Edit ${titleOf(index)}`}
              aria-pressed={index === selected}
              tabIndex={index === selected || drawing ? -1 : 0}
              onKeyDown={(event) => pressKeyOfShape(event, index)}
            />
          ))}
          {rubber && <polyline className={classes.rubber} points={outline(rubber)} />}
        </svg>
        {!drawing &&
          shown.length < maxPoints &&
          shown.map((point, index) => {
            const [x, y] = middleOf(point, shown[(index + 1) % shown.length] as Point);
            return <circle key={index} className={classes.middle} cx={percent(x)} cy={percent(y)} r={4} aria-hidden />;
          })}
        {!drawing &&
          shown.map(([x, y], index) => {
            const problem = problems.find((one) => one.index === index);
            return (
              <circle
                key={index}
                className={classes.corner}
                cx={percent(x)}
                cy={percent(y)}
                r={index === corner ? 8 : 6}
                data-corner={index}
                data-wrong={problem ? true : undefined}
                data-chosen={index === corner || undefined}
                role="button"
                tabIndex={0}
                aria-label={
                  `Corner ${index + 1} of ${shown.length} of ${titleOf(selected as number)}, ` +
                  `${Math.round(x * 100)} % from the left, ${Math.round(y * 100)} % from the top` +
                  (problem ? `: ${problem.message}` : '')
                }
                onFocus={() => onCorner(index)}
                onKeyDown={(event) => pressKeyOfCorner(event, index)}
              />
            );
          })}
        {drawing?.map(([x, y], index) => (
          <circle key={index} className={classes.corner} cx={percent(x)} cy={percent(y)} r={index === 0 ? 8 : 5} />
        ))}
      </svg>
      {problems.map(({ index, message }) => {
        const [x, y] = shown[index] ?? [0.5, 0.5];
        return (
          <span
            key={index}
            className={classes.problem}
            role="status"
            data-left={x > 0.5 || undefined}
            data-above={y > 0.7 || undefined}
            style={{ left: percent(x), top: percent(y) }}
          >
            {message}
          </span>
        );
      })}
    </div>
  );
}
