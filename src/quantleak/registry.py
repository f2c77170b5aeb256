"""Finds classes by the name that opens their spec: our own, registered ones, and those of installed packages."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, Generic, TypeVar, cast

from quantleak.errors import InputError, nearest
from quantleak.plugins import load, offered, package_of
from quantleak.spec import Specified, read_spec, split_name

Kind = TypeVar("Kind", bound=Specified)
One = TypeVar("One", bound=Specified)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One line of a list of what there is to choose from."""

    name: str
    description: str
    example: str


class Registry(Generic[Kind]):
    """Classes of one kind by name.

    Args:
        noun: What they are called in messages.
        group: Entry-point group: a package that declares `my_name = "package.module:Class"` there is found by that
            name. None if other packages cannot add any.
        base: The class that all of them extend.
        beside: Another registry, whose names cannot be registered here.
    """

    def __init__(self, noun: str, group: str | None, base: type, beside: Registry[Any] | None = None) -> None:
        self.noun, self.group, self.base, self.beside = noun, group, base, beside
        self.kinds: dict[str, type[Kind]] = {}

    def register(self, name: str, *, example: str | None = None) -> Callable[[type[One]], type[One]]:
        """Class decorator that gives a class the name which opens its spec.

        Args:
            name: A new name; letters, digits, `-` and `_`.
            example: A spec to copy, shown in lists and messages; by default the name.

        Raises:
            InputError: If the name is taken or holds other characters.
        """

        def add(kind: type[One]) -> type[One]:
            if self.beside is not None and self.beside.find(name) is not None:
                raise InputError(f"The name '{name}' is taken by a {self.beside.noun}; choose another.")
            self.add(name, cast("type[Kind]", kind), example)
            return kind

        return add

    def add(self, name: str, kind: type[Kind], example: str | None = None) -> None:
        """Give a class its name and an example of its spec, by default the name.

        Raises:
            InputError: If the name is taken or holds other characters than letters, digits, `-` and `_`.
        """
        if not name.replace("-", "").replace("_", "").isalnum():
            raise InputError(f"A {self.noun}'s name holds letters, digits, '-' and '_' only, got '{name}'.")
        taken = self.kinds.get(name, kind)
        if (taken.__module__, taken.__qualname__) != (kind.__module__, kind.__qualname__):
            raise InputError(f"The {self.noun} name '{name}' is taken by {taken.__qualname__}; choose another.")
        kind.name, kind.example = name, example or name
        self.kinds[name] = kind

    def find(self, name: str) -> type[Kind] | None:
        """The class of a name, also of an installed package that was not loaded yet; None if there is none.

        Raises:
            InputError: If what a package offers under this name cannot be loaded, or is something else.
        """
        if name in self.kinds:
            return self.kinds[name]
        point = self._offered().get(name)
        if point is None:
            return None
        kind = load(point)
        if not (isinstance(kind, type) and issubclass(kind, self.base)):
            raise InputError(
                f"'{name}' of the package {package_of(point)} ({point.value}) is not a {self.base.__name__} class; ask "
                "its author."
            )
        if name not in self.kinds:
            self.add(name, cast("type[Kind]", kind))
        return self.kinds[name]

    def read(self, spec: str, also: Collection[str] = ()) -> Kind:
        """The record that a spec describes.

        Args:
            spec: `name[:value[,value]][?key=value[&key=value]]`.
            also: Other names that were possible where the spec came from, for hints.

        Raises:
            InputError: For an unknown name, option or value; the message says what is nearest.
        """
        name, rest = split_name(spec)
        kind = self.find(name)
        if kind is None:
            hint = nearest(name, [*self.kinds, *self._offered(), *also])
            there_is = f"There are {', '.join(self.kinds)}."
            advice = f"`quantleak list {self.noun}s` shows all." if self.group else there_is
            raise InputError(f"Unknown {self.noun} '{name}'.{hint} {advice}")
        return read_spec(kind, rest)

    def available(self) -> list[Listing]:
        """Every class there is, built in or installed by another package, in the order of registration."""
        for name in self._offered():
            self.find(name)
        return [
            Listing(name=name, description=(kind.__doc__ or "").strip().split("\n")[0], example=kind.example)
            for name, kind in self.kinds.items()
        ]

    def _offered(self) -> dict[str, EntryPoint]:
        return offered(self.group) if self.group else {}
