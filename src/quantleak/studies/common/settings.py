"""The settings of a study: presets, parts that can be left out, and what of it is not the paper's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from pydantic import TypeAdapter, ValidationError

from quantleak.auditing.settings import explain
from quantleak.errors import InputError, nearest
from quantleak.report.digits import plain

Settings = TypeVar("Settings", bound="StudySettings")


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Base of a frozen keyword-only dataclass whose defaults are the paper's size.

    Attributes:
        name: What `quantleak reproduce` calls the study.
        presets: By name, the settings that a size changes; `quick` and `paper` at least.
        parts: Settings that are true or false: whether a part of the study is run.
        stated: Settings that the paper states; a page says where a study departs from them.
        not_identity: Settings that change no number of any job, beside `parts`.
        folders: Settings that are folders of this machine, which the command names as `FOLDER`.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: ClassVar[str]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]]
    parts: ClassVar[tuple[str, ...]] = ()
    stated: ClassVar[tuple[str, ...]] = ()
    not_identity: ClassVar[tuple[str, ...]] = ()
    folders: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def preset(cls: type[Settings], name: str) -> Settings:
        """The study at one of its sizes.

        Raises:
            InputError: If there is no such preset.
        """
        if name not in cls.presets:
            raise InputError(f"No preset '{name}'; there are {', '.join(cls.presets)}.{nearest(name, cls.presets)}")
        return replace(cls(), **cls.presets[name])

    @property
    def identity(self) -> dict[str, Any]:
        """What fixes the numbers of every job; parts that are left out only leave out jobs."""
        left_out = {*self.parts, *self.not_identity}
        return {name: value for name, value in self.to_dict().items() if name not in left_out}

    @property
    def command(self) -> str:
        """What to type to run it again, from the preset that differs least."""
        commands = [f"--preset {name} {self._changes(type(self).preset(name))}".strip() for name in self.presets]
        return f"quantleak reproduce {self.name} {min(commands, key=len)} --out out/{self.name}"

    @property
    def departures(self) -> list[str]:
        """Settings of the paper that this study changes, as `models 40 (300 in the paper)`."""
        mine, theirs = self.to_dict(), type(self)().to_dict()
        return [
            f"{key.replace('_', ' ')} {plain(mine[key]) or 'none'} ({plain(theirs[key]) or 'none'} in the paper)"
            for key in self.stated
            if mine[key] != theirs[key]
        ]

    def changed(self: Settings, values: Mapping[str, Any]) -> Settings:
        """The same with some settings changed, every problem reported at once.

        Raises:
            InputError: Unknown names (with the nearest one), values of the wrong type or out of range.
        """
        known = [field.name for field in fields(self)]
        problems = [f"{name}: unknown setting.{nearest(name, known)}" for name in values if name not in known]
        usable = {name: value for name, value in values.items() if name in known}
        try:
            changed = TypeAdapter(type(self)).validate_python(self.to_dict() | usable)
        except ValidationError as error:
            raise InputError("\n".join(problems + explain(error))) from error
        if problems:
            raise InputError("\n".join(problems))
        return changed

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def _changes(self, base: StudySettings) -> str:
        mine, theirs = self.to_dict(), base.to_dict()
        parts = [f"--without {name}" for name in self.parts if theirs[name] and not mine[name]]
        parts += [f"--{name.replace('_', '-')} FOLDER" for name in self.folders if mine[name]]
        said = {*self.folders, *(name for name in self.parts if theirs[name])}
        given = [name for name in mine if mine[name] != theirs[name] and name not in said]
        return " ".join([*parts, *(f"--set '{name}={mine[name]}'" for name in given)])
