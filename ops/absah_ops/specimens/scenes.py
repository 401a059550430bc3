"""Draw scenes with people in them, as stand-ins for evidence photos."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]
SHIRTS = ((160, 60, 60), (40, 90, 160), (60, 130, 60), (200, 200, 200), (150, 110, 40))


def make_scene(width: int = 640, height: int = 480) -> Canvas:
    """A sky over a lawn, with the grain of a photo; RGB."""
    fade = np.linspace(0, 1, height)[:, None, None]
    scene = (
        (1 - fade) * (160, 206, 235) + fade * np.array((230, 220, 200)) + np.zeros((1, width, 1))
    )
    scene[int(height * 0.7) :] = (100, 110, 90)
    scene += np.random.default_rng(0).normal(0, 6, scene.shape)
    return np.asarray(np.clip(scene, 0, 255), np.uint8)


def draw_group(count: int, *, seed: int = 0) -> Canvas:
    """People standing side by side on a lawn; RGB. `seed` varies their heights."""
    rng = np.random.default_rng(seed)
    scene = make_scene(width=130 * count + 120)
    for place in range(count):
        height = 300 - int(rng.integers(0, 25)) if seed else 300
        draw_person(scene, 120 + 130 * place, 410 - height, height, SHIRTS[place % len(SHIRTS)])
    return scene


def draw_person(scene: Canvas, x: int, top: int, height: int, shirt: tuple[int, int, int]) -> None:
    """A standing figure, eight heads high."""
    unit = height / 8
    skin = (210, 170, 140)

    def at(across: float, down: float) -> tuple[int, int]:
        return int(x + across * unit), int(top + down * unit)

    def oval(across: float, down: float, a: float, b: float, colour: tuple[int, int, int]) -> None:
        axes = (int(a * unit), int(b * unit))
        cv2.ellipse(scene, at(across, down), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)

    for side in (-1, 1):
        leg = (at(side * 0.45, 4), at(side * 0.5, 7.6))
        cv2.line(scene, *leg, (40, 60, 90), int(0.8 * unit), cv2.LINE_AA)
        oval(side * 0.65, 7.8, 0.5, 0.22, (20, 20, 20))
        arm = (at(side * 1.0, 1.7), at(side * 1.3, 3.9))
        cv2.line(scene, *arm, shirt, int(0.5 * unit), cv2.LINE_AA)
        oval(side * 1.3, 4.1, 0.25, 0.3, skin)
    body = [at(-1.1, 1.5), at(1.1, 1.5), at(0.85, 4.2), at(-0.85, 4.2)]
    cv2.fillPoly(scene, [np.array(body, np.int32)], shirt, cv2.LINE_AA)
    oval(0, 1.35, 0.3, 0.35, skin)
    oval(0, 0.6, 0.55, 0.65, skin)
    oval(0, 0.35, 0.6, 0.45, (30, 25, 25))
    oval(0, 0.72, 0.5, 0.5, skin)
    for side in (-1, 1):
        oval(side * 0.2, 0.6, 0.07, 0.05, (20, 20, 20))
