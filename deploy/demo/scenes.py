"""Landscapes of the demo cameras: a background that is drawn once, and sprites that move over it."""

# ruff: noqa: PLR0917 - drawing functions take coordinates

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import cairo

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Sprite:
    """A small moving picture. `place` returns left, top (pixels) and opacity (0 to 1) for a time in seconds."""

    surface: cairo.ImageSurface
    place: Callable[[float], tuple[float, float, float]]


@dataclass
class Scene:
    """A landscape of a given size. The drawing functions below take coordinates in its pixels."""

    background: cairo.ImageSurface
    sprites: list[Sprite] = field(default_factory=list)


def build_scene(name: str, width: int, height: int) -> Scene:
    """Build the landscape `name` at a size. The same arguments produce the same picture."""
    return {"harbour": _harbour, "lighthouse": _lighthouse, "valley": _valley, "city": _city, "square": _square}[name](
        width, height
    )


def _harbour(width: int, height: int) -> Scene:
    """A calm bay at dusk: hills, the low sun, its reflection on the water, sailing boats."""
    dice = random.Random(7)
    scene = Scene(cairo.ImageSurface(cairo.FORMAT_RGB24, width, height))
    ctx = cairo.Context(scene.background)
    horizon = height * 0.58
    _fill_sky(ctx, width, horizon, [(0.13, 0.17, 0.36), (0.46, 0.33, 0.52), (0.94, 0.56, 0.42), (1.0, 0.80, 0.55)])
    sun_x, sun_y = width * 0.40, horizon - height * 0.155
    _glow(ctx, sun_x, sun_y, height * 0.42, (1.0, 0.86, 0.55), 0.55)
    ctx.set_source_rgb(1.0, 0.95, 0.80)
    ctx.arc(sun_x, sun_y, height * 0.048, 0, math.tau)
    ctx.fill()
    for layer, colour in enumerate([(0.56, 0.38, 0.50), (0.40, 0.27, 0.43), (0.25, 0.18, 0.34)]):
        _ridge(ctx, width, horizon, height * (0.17 - 0.05 * layer), colour, seed=layer + 3)
    _fill(ctx, width, horizon, height, [(0.78, 0.50, 0.46), (0.36, 0.27, 0.45), (0.09, 0.11, 0.27)])
    for _ in range(70):
        y = horizon + (height - horizon) * dice.random() ** 1.6
        _streak(
            ctx,
            dice.random() * width,
            y,
            height * 0.05 * dice.random(),
            height * 0.003,
            (1.0, 0.85, 0.7, 0.16),
        )
    _glitter(scene, dice, sun_x, horizon, width, height, (1.0, 0.90, 0.66), 16)
    for size, depth, speed, start in (
        (0.10, 0.06, 0.006, 0.2),
        (0.17, 0.17, 0.011, 0.55),
        (0.26, 0.34, -0.016, 0.9),
    ):
        scene.sprites.append(_crossing(_boat(int(height * size)), width, horizon + height * depth, speed, start))
    _clouds(scene, dice, width, height, (1.0, 0.72, 0.62), 3)
    return scene


def _lighthouse(width: int, height: int) -> Scene:
    """A rocky coast before sunrise: stars, a turning light, waves."""
    dice = random.Random(11)
    scene = Scene(cairo.ImageSurface(cairo.FORMAT_RGB24, width, height))
    ctx = cairo.Context(scene.background)
    horizon = height * 0.62
    _fill_sky(ctx, width, horizon, [(0.04, 0.08, 0.20), (0.09, 0.22, 0.38), (0.30, 0.47, 0.58), (0.83, 0.74, 0.66)])
    for _ in range(60):
        ctx.set_source_rgba(1, 1, 1, 0.2 + 0.5 * dice.random())
        ctx.arc(dice.random() * width, dice.random() * horizon * 0.55, height * 0.0022, 0, math.tau)
        ctx.fill()
    _ridge(ctx, width, horizon, height * 0.07, (0.23, 0.36, 0.46), seed=5)
    _fill(ctx, width, horizon, height, [(0.42, 0.53, 0.58), (0.12, 0.27, 0.38), (0.03, 0.09, 0.18)])
    for _ in range(80):
        y = horizon + (height - horizon) * dice.random() ** 1.5
        _streak(
            ctx,
            dice.random() * width,
            y,
            height * 0.06 * dice.random(),
            height * 0.003,
            (0.9, 0.95, 1.0, 0.14),
        )
    _rocks(ctx, width, height)
    lamp_x, lamp_y = width * 0.225, height * 0.305
    _tower(ctx, lamp_x, lamp_y, height)
    glow = _new_surface(int(height * 0.5), int(height * 0.5))
    _glow(cairo.Context(glow), height * 0.25, height * 0.25, height * 0.25, (1.0, 0.93, 0.70), 0.95)
    scene.sprites.append(
        Sprite(glow, lambda t: (lamp_x - height * 0.25, lamp_y - height * 0.25, max(0.0, math.cos(t * 1.1)) ** 4))
    )
    scene.sprites.append(_crossing(_ship(int(height * 0.13)), width, horizon + height * 0.015, 0.008, 0.6))
    _glitter(scene, dice, width * 0.72, horizon, width, height, (1.0, 0.93, 0.82), 14)
    _clouds(scene, dice, width, height, (0.62, 0.70, 0.80), 2)
    return scene


def _valley(width: int, height: int) -> Scene:
    """Mountains on a clear day: snow, layered forests, a train on its way, clouds."""
    dice = random.Random(23)
    scene = Scene(cairo.ImageSurface(cairo.FORMAT_RGB24, width, height))
    ctx = cairo.Context(scene.background)
    _fill_sky(ctx, width, height * 0.7, [(0.26, 0.53, 0.83), (0.55, 0.76, 0.93), (0.90, 0.95, 0.97)])
    ground = height * 0.70
    _peaks(ctx, width, height)
    for rise, colour, seed in (
        (0.24, (0.47, 0.61, 0.66), 31),
        (0.17, (0.33, 0.52, 0.50), 32),
        (0.10, (0.22, 0.42, 0.36), 33),
    ):
        _ridge(ctx, width, ground, height * rise, colour, seed)
    _fill(ctx, width, ground, height, [(0.46, 0.66, 0.35), (0.30, 0.52, 0.26), (0.16, 0.33, 0.17)])
    track = height * 0.80
    ctx.set_source_rgb(0.36, 0.33, 0.30)
    ctx.rectangle(0, track, width, height * 0.012)
    ctx.fill()
    for _ in range(60):
        _tree(ctx, dice.random() * width, ground + height * (0.005 + 0.075 * dice.random()), height * 0.05)
    for _ in range(24):
        _tree(ctx, dice.random() * width, height * (0.88 + 0.06 * dice.random()), height * 0.11)
    scene.sprites.append(_crossing(_train(int(height * 0.055)), width, track + height * 0.004, 0.07, 0.1))
    _clouds(scene, dice, width, height, (1.0, 1.0, 1.0), 4)
    return scene


def _city(width: int, height: int) -> Scene:
    """A town at night: lit windows, the moon, cars along the promenade."""
    dice = random.Random(42)
    scene = Scene(cairo.ImageSurface(cairo.FORMAT_RGB24, width, height))
    ctx = cairo.Context(scene.background)
    street = height * 0.80
    _fill_sky(ctx, width, street, [(0.03, 0.04, 0.12), (0.10, 0.11, 0.27), (0.30, 0.22, 0.40)])
    _glow(ctx, width * 0.8, height * 0.2, height * 0.25, (0.85, 0.88, 1.0), 0.35)
    ctx.set_source_rgb(0.95, 0.95, 0.90)
    ctx.arc(width * 0.8, height * 0.2, height * 0.05, 0, math.tau)
    ctx.fill()
    for tint, tallest in ((0.17, 0.50), (0.10, 0.36)):
        x = 0.0
        while x < width:
            wide = height * (0.08 + 0.09 * dice.random())
            _house(ctx, dice, x, street, wide, height * tallest * (0.45 + 0.55 * dice.random()), tint, height)
            x += wide + height * 0.004
    _fill(ctx, width, street, height, [(0.13, 0.13, 0.19), (0.06, 0.06, 0.10)])
    for x in range(0, width, max(2, int(height * 0.2))):
        _glow(ctx, x, street - height * 0.03, height * 0.06, (1.0, 0.80, 0.50), 0.6)
    for number in range(6):
        towards = number % 2 == 0
        car = _car(int(height * 0.04), (1.0, 0.95, 0.80) if towards else (1.0, 0.25, 0.20))
        lane = street + height * (0.05 if towards else 0.095)
        speed = (0.05 + 0.008 * number) * (1 if towards else -1)
        scene.sprites.append(_crossing(car, width, lane, speed, number / 6))
    _clouds(scene, dice, width, height, (0.30, 0.28, 0.42), 2)
    return scene


def _square(width: int, height: int) -> Scene:
    """A magenta square that crosses a grey picture in five seconds and comes back, in all cameras at once."""
    scene = Scene(cairo.ImageSurface(cairo.FORMAT_RGB24, width, height))
    _fill(cairo.Context(scene.background), width, 0, height, [(0.36, 0.38, 0.40), (0.30, 0.31, 0.33)])
    side = height // 5
    square = _new_surface(side, side)
    ctx = cairo.Context(square)
    ctx.set_source_rgb(1, 0, 1)
    ctx.paint()

    def place(now: float) -> tuple[float, float, float]:
        part = 1 - abs(now / 5 % 2 - 1)
        return (0.06 + 0.74 * part) * width, 0.4 * height, 1.0

    scene.sprites.append(Sprite(square, place))
    return scene


def _new_surface(width: int, height: int) -> cairo.ImageSurface:
    return cairo.ImageSurface(cairo.FORMAT_ARGB32, max(2, width), max(2, height))


def _gradient(top: float, bottom: float, colours: list[Colour]) -> cairo.LinearGradient:
    gradient = cairo.LinearGradient(0, top, 0, bottom)
    for index, colour in enumerate(colours):
        gradient.add_color_stop_rgb(index / (len(colours) - 1), *colour)
    return gradient


def _fill(ctx: cairo.Context, width: int, top: float, bottom: float, colours: list[Colour]) -> None:
    ctx.set_source(_gradient(top, bottom, colours))
    ctx.rectangle(0, top, width, bottom - top)
    ctx.fill()


def _fill_sky(ctx: cairo.Context, width: int, horizon: float, colours: list[Colour]) -> None:
    _fill(ctx, width, 0, horizon + 1, colours)


def _glow(ctx: cairo.Context, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
    light = cairo.RadialGradient(x, y, 0, x, y, radius)
    light.add_color_stop_rgba(0, *colour, strength)
    light.add_color_stop_rgba(0.4, *colour, strength * 0.3)
    light.add_color_stop_rgba(1, *colour, 0)
    ctx.set_source(light)
    ctx.arc(x, y, radius, 0, math.tau)
    ctx.fill()


def _ridge(ctx: cairo.Context, width: int, base: float, rise: float, colour: Colour, seed: int) -> None:
    dice = random.Random(seed)
    waves = [(dice.uniform(1, 4), dice.random() * math.tau, 1 / (n + 1)) for n in range(4)]
    ctx.move_to(0, base + 1)
    for x in range(0, width + 4, 4):
        level = sum(w * math.sin(f * (n + 1) * x / width * math.pi + p) for n, (f, p, w) in enumerate(waves))
        ctx.line_to(x, base - rise * (0.55 + 0.22 * level))
    ctx.line_to(width, base + 1)
    ctx.set_source_rgb(*colour)
    ctx.fill()


def _peaks(ctx: cairo.Context, width: int, height: int) -> None:
    base = height * 0.70
    for x, rise, half in ((0.16, 0.42, 0.27), (0.80, 0.46, 0.31), (0.48, 0.55, 0.35)):
        top, centre = base - height * rise, width * x
        ctx.move_to(centre - width * half, base)
        ctx.line_to(centre, top)
        ctx.line_to(centre + width * half, base)
        ctx.set_source(_gradient(top, base, [(0.45, 0.54, 0.66), (0.62, 0.71, 0.79)]))
        ctx.fill()
        ctx.move_to(centre, top)
        for step, (dx, dy) in enumerate(
            ((0.30, 0.30), (0.16, 0.24), (0.08, 0.36), (-0.06, 0.25), (-0.2, 0.38), (-0.26, 0.26))
        ):
            ctx.line_to(centre + width * half * dx, top + height * rise * (dy if step else 0.30))
        ctx.close_path()
        ctx.set_source_rgb(0.96, 0.97, 0.99)
        ctx.fill()


def _rocks(ctx: cairo.Context, width: int, height: int) -> None:
    ctx.move_to(0, height)
    for x, y in (
        (0, 0.60),
        (0.06, 0.585),
        (0.12, 0.60),
        (0.20, 0.575),
        (0.27, 0.60),
        (0.33, 0.66),
        (0.40, 0.72),
        (0.43, 0.82),
        (0.52, 0.90),
        (0.55, 1.0),
    ):
        ctx.line_to(width * x, height * y)
    ctx.close_path()
    ctx.set_source(_gradient(height * 0.57, height, [(0.20, 0.22, 0.25), (0.07, 0.08, 0.11)]))
    ctx.fill()


def _tower(ctx: cairo.Context, x: float, lamp: float, height: int) -> None:
    foot, wide = height * 0.585, height * 0.034
    bands = 5
    for band in range(bands):
        top = lamp + (foot - lamp) * band / bands
        bottom = lamp + (foot - lamp) * (band + 1) / bands
        half_top, half_bottom = wide * (0.65 + 0.35 * band / bands), wide * (0.65 + 0.35 * (band + 1) / bands)
        ctx.move_to(x - half_top, top)
        ctx.line_to(x + half_top, top)
        ctx.line_to(x + half_bottom, bottom)
        ctx.line_to(x - half_bottom, bottom)
        ctx.set_source_rgb(*((0.80, 0.80, 0.78) if band % 2 else (0.66, 0.22, 0.22)))
        ctx.fill()
    ctx.set_source_rgb(0.12, 0.12, 0.15)
    ctx.rectangle(x - wide * 0.9, lamp - height * 0.004, wide * 1.8, height * 0.010)
    ctx.fill()
    ctx.rectangle(x - wide * 0.5, lamp - height * 0.042, wide, height * 0.038)
    ctx.fill()
    ctx.set_source_rgb(1.0, 0.92, 0.62)
    ctx.rectangle(x - wide * 0.34, lamp - height * 0.034, wide * 0.68, height * 0.026)
    ctx.fill()
    ctx.set_source_rgb(0.55, 0.18, 0.18)
    ctx.move_to(x - wide * 0.62, lamp - height * 0.042)
    ctx.line_to(x, lamp - height * 0.072)
    ctx.line_to(x + wide * 0.62, lamp - height * 0.042)
    ctx.fill()


def _tree(ctx: cairo.Context, x: float, foot: float, tall: float) -> None:
    for level in range(3):
        half, top = tall * (0.13 + 0.07 * level), foot - tall * (1 - 0.25 * level)
        ctx.move_to(x - half, top + tall * 0.42)
        ctx.line_to(x, top)
        ctx.line_to(x + half, top + tall * 0.42)
        ctx.set_source_rgb(0.09 + 0.02 * level, 0.27 + 0.02 * level, 0.18)
        ctx.fill()


def _house(
    ctx: cairo.Context,
    dice: random.Random,
    x: float,
    street: float,
    wide: float,
    tall: float,
    tint: float,
    height: int,
) -> None:
    ctx.set_source_rgb(tint * 0.7, tint * 0.75, tint * 1.25)
    ctx.rectangle(x, street - tall, wide, tall)
    ctx.fill()
    pane, gap = height * 0.011, height * 0.013
    y = street - tall + gap
    while y < street - height * 0.05:
        left = x + gap
        while left + pane < x + wide - gap / 2:
            if dice.random() < 0.42:
                ctx.set_source_rgba(1.0, 0.78 + 0.15 * dice.random(), 0.45, 0.35 + 0.6 * dice.random())
                ctx.rectangle(left, y, pane, pane * 1.3)
                ctx.fill()
            left += pane + gap
        y += pane * 1.3 + gap


def _streak(ctx: cairo.Context, x: float, y: float, half: float, thick: float, colour: tuple) -> None:
    ctx.save()
    ctx.translate(x, y)
    ctx.scale(max(half, 1), max(thick, 0.6))
    ctx.arc(0, 0, 1, 0, math.tau)
    ctx.restore()
    ctx.set_source_rgba(*colour)
    ctx.fill()


def _glitter(
    scene: Scene,
    dice: random.Random,
    x: float,
    horizon: float,
    width: int,
    height: int,
    colour: Colour,
    count: int,
) -> None:
    """Glittering light on the water below the sun."""
    sway = height * 0.006
    for number in range(count):
        depth = (number + 0.5) / count
        half = height * (0.010 + 0.045 * depth * dice.random() + 0.012 * depth)
        left = x + width * 0.055 * (depth + 0.25) * dice.uniform(-1, 1) - half
        top = horizon + (height * 0.92 - horizon) * depth
        spark = _new_surface(int(half * 2) + 2, int(height * 0.010) + 2)
        _streak(cairo.Context(spark), half + 1, height * 0.005 + 1, half, height * 0.0035, (*colour, 0.9))
        pace, phase = dice.uniform(0.7, 1.6), dice.random() * math.tau
        scene.sprites.append(
            Sprite(
                spark,
                lambda t, left=left, top=top, pace=pace, phase=phase: (
                    left + sway * math.sin(t * pace * 0.6 + phase),
                    top,
                    0.35 + 0.30 * math.sin(t * pace + phase),
                ),
            )
        )


def _clouds(scene: Scene, dice: random.Random, width: int, height: int, colour: Colour, count: int) -> None:
    for number in range(count):
        long, tall = int(width * dice.uniform(0.16, 0.26)), int(height * 0.12)
        cloud = _new_surface(long, tall)
        ctx = cairo.Context(cloud)
        for _ in range(7):
            ctx.save()
            ctx.scale(long / tall, 1)
            radius = tall * dice.uniform(0.20, 0.36)
            spread = dice.uniform(0.5, 1.0)
            ctx.translate(dice.uniform(radius, tall - radius), dice.uniform(0.45, 0.62) * tall)
            ctx.scale(1, spread)
            _glow(ctx, 0, 0, radius, colour, 0.34)
            ctx.restore()
        top = height * (0.13 + 0.09 * number)
        scene.sprites.append(_crossing(cloud, width, top + tall, 0.0022 + 0.0012 * number, number / count + 0.1))


def _crossing(surface: cairo.ImageSurface, width: int, foot: float, speed: float, start: float) -> Sprite:
    """A sprite that crosses the picture repeatedly. `speed` in picture widths per second, `foot` is its lower edge."""
    long, tall = surface.get_width(), surface.get_height()
    way = width + long

    def place(t: float) -> tuple[float, float, float]:
        return (start + speed * t) % 1.0 * way - long, foot - tall, 1.0

    return Sprite(surface, place)


def _boat(tall: int) -> cairo.ImageSurface:
    surface = _new_surface(int(tall * 0.9), tall)
    ctx = cairo.Context(surface)
    ctx.scale(tall, tall)
    for colour, points in (
        ((0.98, 0.93, 0.87), ((0.44, 0.03), (0.44, 0.78), (0.80, 0.78))),
        ((0.90, 0.80, 0.76), ((0.41, 0.10), (0.41, 0.78), (0.14, 0.78))),
        ((0.20, 0.13, 0.22), ((0.06, 0.83), (0.86, 0.83), (0.74, 0.95), (0.18, 0.95))),
    ):
        ctx.move_to(*points[0])
        for point in points[1:]:
            ctx.line_to(*point)
        ctx.close_path()
        ctx.set_source_rgb(*colour)
        ctx.fill()
    return surface


def _ship(tall: int) -> cairo.ImageSurface:
    surface = _new_surface(int(tall * 2.6), tall)
    ctx = cairo.Context(surface)
    ctx.scale(tall, tall)
    ctx.set_source_rgb(0.16, 0.20, 0.28)
    ctx.move_to(0.05, 0.70)
    for point in ((2.55, 0.66), (2.38, 0.96), (0.20, 0.96)):
        ctx.line_to(*point)
    ctx.fill()
    ctx.set_source_rgb(0.78, 0.79, 0.80)
    for box in ((0.35, 0.44, 0.95, 0.26), (0.50, 0.26, 0.55, 0.18)):
        ctx.rectangle(*box)
        ctx.fill()
    ctx.set_source_rgb(1.0, 0.85, 0.5)
    for window in range(6):
        ctx.rectangle(0.42 + 0.14 * window, 0.53, 0.06, 0.06)
        ctx.fill()
    ctx.set_source_rgb(0.66, 0.22, 0.22)
    ctx.rectangle(0.68, 0.04, 0.18, 0.22)
    ctx.fill()
    return surface


def _train(tall: int) -> cairo.ImageSurface:
    cars = 4
    surface = _new_surface(int(tall * 2.7 * cars), tall)
    ctx = cairo.Context(surface)
    ctx.scale(tall, tall)
    for car in range(cars):
        left = 2.7 * car
        ctx.set_source_rgb(0.78, 0.20, 0.18)
        ctx.rectangle(left + 0.06, 0.10, 2.55, 0.74)
        ctx.fill()
        ctx.set_source_rgb(0.96, 0.95, 0.92)
        ctx.rectangle(left + 0.06, 0.56, 2.55, 0.08)
        ctx.fill()
        ctx.set_source_rgb(0.16, 0.24, 0.32)
        for window in range(5):
            ctx.rectangle(left + 0.22 + 0.48 * window, 0.22, 0.34, 0.24)
            ctx.fill()
        ctx.set_source_rgb(0.14, 0.14, 0.15)
        for wheel in (0.5, 0.9, 1.8, 2.2):
            ctx.arc(left + wheel, 0.86, 0.12, 0, math.tau)
            ctx.fill()
    return surface


def _car(tall: int, light: Colour) -> cairo.ImageSurface:
    surface = _new_surface(tall * 4, tall)
    ctx = cairo.Context(surface)
    _glow(ctx, tall * 2, tall * 0.5, tall * 0.5, light, 0.9)
    _streak(ctx, tall * 2, tall * 0.5, tall * 1.6, tall * 0.12, (*light, 0.45))
    return surface
