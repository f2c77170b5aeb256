"""The plan of the package: its rooms from the lowest to the highest, and what holds of them.

A room is one folder, its subfolders are rooms of their own. A module may import from its own room and from rooms above
it in this list, never from one below; a new room is a new line here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import quantleak

ROOMS = (
    "errors",
    "version",
    "jit",
    "spec",
    "arrays",
    "plugins",
    "registry",
    "renamed",
    "rng",
    "threads",
    "store",
    "quantizers",
    "results",
    "data",
    "data.tabular",
    "data.images",
    "data.sources",
    "ptq.solvers",
    "ptq.modules",
    "ptq.storage",
    "ptq",
    "models",
    "fleet",
    "theory",
    "theory.exact",
    "trajectory",
    "attacks.evaluation",
    "attacks",
    "attacks.discriminator",
    "report",
    "report.figures",
    "report.sections",
    "report.pages",
    "engines",
    "auditing.measures",
    "auditing",
    "requests",
    "scores",
    "comparison",
    "gate",
    "studies.common",
    "studies.synthetic.jobs",
    "studies.synthetic.perceptrons",
    "studies.synthetic.findings",
    "studies.synthetic.figures",
    "studies.synthetic",
    "studies.vision.jobs",
    "studies.vision.findings",
    "studies.vision.figures",
    "studies.vision",
    "studies",
    "integrations",
    "lightning",
    "hf",
    "sklearn",
    "testing",
    "cli",
    "__main__",
)
MOST_FILES = 16
MOST_LINES = 320
SOURCE = Path(quantleak.__file__).parent
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path != SOURCE / "__init__.py"
}


def room(module: str) -> str:
    """The room of a module: the folder that it lies in, or itself at the top."""
    return module if module in ROOMS and MODULES.get(module) else module.rpartition(".")[0]


def contents(package: str) -> dict[str, str]:
    """By public name of a room, the module that its table of contents takes it from."""
    tree = ast.parse(MODULES[f"{package}.__init__"].read_text())
    return {alias.asname or alias.name: source for source, alias in imports(tree)}


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.alias]]:
    """Every `from quantleak.module import name`, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "relative import"
            if node.module == "quantleak" or str(node.module).startswith("quantleak."):
                yield from ((str(node.module).removeprefix("quantleak").lstrip("."), alias) for alias in node.names)
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("quantleak.") for alias in node.names)


def home(source: str, name: str) -> str:
    """The module in which an imported name is defined."""
    inner = f"{source}.{name}".lstrip(".")
    if f"{inner}.__init__" in MODULES:
        return f"{inner}.__init__"
    if f"{source}.__init__" not in MODULES:
        return source
    listed = contents(source)
    if name in listed:
        return home(listed[name], name)
    return inner if inner in MODULES else f"{source}.__init__"


def graph() -> dict[str, set[str]]:
    """By module, the modules whose names it uses; tables of contents are looked through."""
    return {
        module: {home(source, alias.name) for source, alias in imports(ast.parse(path.read_text()))} - {module}
        for module, path in MODULES.items()
        if path.name != "__init__.py"
    }


def test_every_room_is_in_the_list_and_there_is_no_other() -> None:
    assert {room(module) for module in MODULES} | {"studies"} == set(ROOMS)


def test_no_arrow_runs_from_a_lower_room_to_a_higher() -> None:
    place = {name: number for number, name in enumerate(ROOMS)}
    back = [
        f"{module} -> {used}"
        for module, others in graph().items()
        for used in others
        if used != "__init__" and place[room(used)] > place[room(module)]
    ]
    assert not back


def test_there_is_no_circle_of_imports() -> None:
    arrows, done, path = graph(), set[str](), list[str]()

    def visit(module: str) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            path.append(module)
            for used in sorted(arrows.get(module, ())):
                visit(used)
            path.pop()
            done.add(module)

    for module in arrows:
        visit(module)


def test_rooms_and_files_can_be_overseen() -> None:
    files = [room(module) for module in MODULES]
    assert not {name: files.count(name) for name in ROOMS if files.count(name) > MOST_FILES}
    lines = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert not {module: count for module, count in lines.items() if count > MOST_LINES}
