"""The rules of the house that no type checker knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = sorted([*(ROOT / "assistant").rglob("*.py"), *(ROOT / "parsers").rglob("*.py")])
LONGEST = 450
DATA = {"cadence.py", "providers.py", "0001_first_tables.py"}
"""Tables of facts, types or columns: they are read by looking things up."""
ASKS_THE_TIME = re.compile(r"\b(datetime|date)\.(now|utcnow|today)\(|\btime\.(time|monotonic|localtime|perf_counter)\(")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_dependencies_point_one_way() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-3000:] + checked.stderr[-1000:]


def test_no_module_is_too_long_to_read() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES if path.name not in DATA
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_every_module_says_what_it_is() -> None:
    texts = {relative(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert [name for name, text in texts.items() if text and not text.startswith('"""')] == []


def test_nobody_but_the_clock_asks_what_time_it_is() -> None:
    asked = []
    for path in MODULES:
        if relative(path) == "assistant/clock.py":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if ASKS_THE_TIME.search(line.partition("#")[0]):
                asked.append(f"{relative(path)}:{number}: {line.strip()}")
    assert asked == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    machine = re.compile(r"/(work|home|Users)/[a-z]\w*/|/root/")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode()
    files = [
        ROOT / name for name in tracked.split("\0") if name.endswith((".py", ".md", ".toml", ".j2", ".yml", ".lock"))
    ]
    found = []
    for path in files or MODULES:
        if path.name == "test_house.py" or not path.exists():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if machine.search(line):
                found.append(f"{relative(path)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; import assistant.cli.app; "
        "print([name for name in ('spacy', 'numpy', 'sqlalchemy', 'imapclient', 'jinja2', 'apscheduler') if name in sys.modules])"
    )
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"
