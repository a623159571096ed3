"""Where the shipped rules, templates and example files are: inside the wheel, or beside the packages in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder or file `name` (`rules`, `templates`, `config.example.toml`, `deploy`) as it was shipped."""
    inside = _PACKAGE / "defaults" / name
    return inside if inside.exists() else _PACKAGE.parent / name


def folder_for(name: str, base: Path) -> Path:
    """The agency's own folder beside its configuration if there is one, else the shipped one."""
    own = Path(name) if Path(name).is_absolute() else base / name
    return own if own.is_dir() else shipped(Path(name).name)
