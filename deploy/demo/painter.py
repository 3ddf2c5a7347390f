"""Draws the frames of one camera: scene, name, human-readable clock, and finally the clock strip."""

from __future__ import annotations

import math
import time

import cairo
from cameras import Camera
from clock_strip import DARK, LIGHT, build_bits, build_blocks
from scenes import build_scene

Box = tuple[int, int, int, int]


class Painter:
    """Picture of one camera. Only moved parts are drawn again, which keeps the time of a frame below a millisecond."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._frame = 0
        self._scene = build_scene(camera.scene, camera.width, camera.height)
        self._text_size = max(10.0, camera.height * 0.042)
        self._draw_name(cairo.Context(self._scene.background))
        self._surface = cairo.ImageSurface(cairo.FORMAT_RGB24, camera.width, camera.height)
        self._ctx = cairo.Context(self._surface)
        self._ctx.set_source_surface(self._scene.background)
        self._ctx.paint()
        self._set_font(self._ctx)
        self._blocks = build_blocks(camera.width, camera.height)
        self._touched: list[Box] = []

    def paint(self) -> bytes:
        """Draw the next frame, in BGRx order. The time in its strip is taken after the rest has been drawn."""
        now = time.time()
        self._restore_background()
        for sprite in self._scene.sprites:
            self._draw_sprite(sprite.surface, *sprite.place(now))
        self._draw_time(now)
        self._draw_strip()
        self._frame += 1
        self._surface.flush()
        return bytes(self._surface.get_data())

    def _restore_background(self) -> None:
        if not self._touched:
            return
        for box in self._touched:
            self._ctx.rectangle(*box)
        self._ctx.set_source_surface(self._scene.background)
        self._ctx.fill()
        self._touched.clear()

    def _draw_sprite(self, surface: cairo.ImageSurface, left: float, top: float, opacity: float) -> None:
        if opacity <= 0.01:
            return
        self._ctx.set_source_surface(surface, left, top)
        self._ctx.paint_with_alpha(min(1.0, opacity))
        self._touched.append((math.floor(left), math.floor(top), surface.get_width() + 2, surface.get_height() + 2))

    def _draw_name(self, ctx: cairo.Context) -> None:
        self._set_font(ctx)
        self._draw_label(ctx, self._camera.name or self._camera.path.strip("/"), is_right=False)

    def _draw_time(self, now: float) -> None:
        text = time.strftime("%Y-%m-%d  %H:%M:%S", time.localtime(now)) + f".{int(now * 10) % 10}"
        self._touched.append(self._draw_label(self._ctx, text, is_right=True))

    def _draw_label(self, ctx: cairo.Context, text: str, is_right: bool) -> Box:
        size, margin = self._text_size, self._text_size * 0.6
        # Measured with zeros, so that the label's width does not change with the digits.
        wide = ctx.text_extents("".join("0" if letter.isdigit() else letter for letter in text)).x_advance
        long, tall = wide + size, size * 1.5
        left = self._camera.width - long - margin if is_right else margin
        ctx.set_source_rgba(0.03, 0.04, 0.07, 0.55)
        radius = tall / 2
        ctx.new_sub_path()
        ctx.arc(left + long - radius, margin + radius, radius, -math.pi / 2, math.pi / 2)
        ctx.arc(left + radius, margin + radius, radius, math.pi / 2, math.pi * 1.5)
        ctx.close_path()
        ctx.fill()
        ctx.set_source_rgb(0.97, 0.97, 0.98)
        ctx.move_to(left + size / 2, margin + size * 1.10)
        ctx.show_text(text)
        return math.floor(left) - 1, math.floor(margin) - 1, math.ceil(long) + 3, math.ceil(tall) + 3

    def _draw_strip(self) -> None:
        bits = build_bits(int(time.time() * 1000), self._frame)
        ctx = self._ctx
        ctx.set_antialias(cairo.ANTIALIAS_NONE)
        for wanted, level in ((0, DARK), (1, LIGHT)):
            for bit, block in zip(bits, self._blocks, strict=True):
                if bit == wanted:
                    ctx.rectangle(*block)
            ctx.set_source_rgb(level, level, level)
            ctx.fill()
        ctx.set_antialias(cairo.ANTIALIAS_DEFAULT)

    def _set_font(self, ctx: cairo.Context) -> None:
        ctx.select_font_face("DejaVu Sans", cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_BOLD)
        ctx.set_font_size(self._text_size)
