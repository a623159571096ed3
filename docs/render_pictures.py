"""Draws the pictures of this folder anew: the shipped templates with their sample data, in a real browser.

    python docs/render_pictures.py            the pictures that the documentation shows
    python docs/render_pictures.py FILE.html PICTURE.png [--width 375] [--dark]

Needs chromium (Debian: `apt install chromium`); says so where it is missing. Nothing is fetched from the network.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parent.parent
PICTURES = HOUSE / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw: the width of the window in pixels, and whether the reader prefers dark."""

    width: int
    dark: bool = False
    scale: float = 1.0
    height: int = 0
    """0 draws the whole page."""


class Browser:
    """A browser that is spoken to over two pipes, one JSON message after another, each ended by a zero byte."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._number = 0
        self._rest = b""

    def draw(self, page: Path, picture: Picture) -> bytes:
        """The page as PNG."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        size = {"width": picture.width, "height": 800, "deviceScaleFactor": picture.scale, "mobile": True}
        self._call("Emulation.setDeviceMetricsOverride", session, **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if picture.dark else "light"}
        self._call("Emulation.setEmulatedMedia", session, features=[scheme])
        self._call("Page.enable", session)
        self._call("Page.navigate", session, url=page.resolve().as_uri())
        self._wait_for("Page.loadEventFired", session)
        height = self._call("Page.getLayoutMetrics", session)["cssContentSize"]["height"]
        clip = {"x": 0, "y": 0, "width": picture.width, "height": picture.height or height, "scale": 1}
        shot = self._call("Page.captureScreenshot", session, clip=clip, captureBeyondViewport=True)
        self._call("Target.closeTarget", targetId=target)
        return base64.b64decode(shot["data"])

    def _call(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _wait_for(self, event: str, session: str) -> None:
        while True:
            message = self._read()
            if message.get("method") == event and message.get("sessionId") == session:
                return

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._answers, 1 << 20)
            if not piece:
                raise RuntimeError("the browser has gone away")
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, gone afterwards. Exits with a sentence where none is installed."""
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        sys.exit("No browser found. Install chromium (Debian: apt install chromium) and run this again.")
    commands_in, commands_out = os.pipe()
    answers_in, answers_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The browser reads commands from descriptor 3 and answers on 4; the shell puts our pipes there.
        shell = ["/bin/sh", "-c", f'exec "$0" "$@" 3<&{commands_in} 4>&{answers_out}']
        process = subprocess.Popen(  # noqa: S603  # a program found on the path, with our own arguments
            [*shell, program, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(commands_in, answers_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_in)
        os.close(answers_out)
        try:
            yield Browser(commands_out, answers_in)
        finally:
            os.close(commands_out)
            os.close(answers_in)
            process.terminate()
            process.wait(timeout=20)


def draw_file(page: Path, target: Path, picture: Picture) -> None:
    """One file as one picture."""
    with browser() as ours:
        target.write_bytes(ours.draw(page, picture))


def draw_documentation() -> None:
    """The pictures that README and the documentation show."""
    sys.path.insert(0, str(HOUSE))
    from assistant.rendering import Templates

    templates = Templates(HOUSE / "templates")
    name = "summaries/weekly"
    mail = templates.render(name, "zh-Hans", templates.sample(name, "zh-Hans"))
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser() as ours, tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "weekly.html"
        page.write_text(mail.html or "", encoding="utf-8")
        shots = {"weekly-summary.png": Picture(680), "weekly-summary-dark-phone.png": Picture(375, dark=True)}
        for file, picture in shots.items():
            (PICTURES / file).write_bytes(ours.draw(page, picture))
            sys.stderr.write(f"docs/images/{file}\n")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("page", nargs="?", type=Path)
    parser.add_argument("target", nargs="?", type=Path)
    parser.add_argument("--width", type=int, default=680)
    parser.add_argument("--dark", action="store_true")
    chosen = parser.parse_args()
    if chosen.page and chosen.target:
        draw_file(chosen.page, chosen.target, Picture(chosen.width, chosen.dark))
    else:
        draw_documentation()


if __name__ == "__main__":
    main()
