"""The house: packages first, files second; what may import what, and who holds the door to each outside thing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import cuaws_magic

HOUSE = Path(cuaws_magic.__file__).parent
ROOT = Path(__file__).parents[1]

# The ground: modules of the top level that every package may import, in the order in which they may import each other.
GROUND = ("humanize", "settings", "model", "errors", "storage", "state_store", "background")

# Packages from the ground up. One imports only from levels below its own.
LEVELS = (
    "views aws config redaction",
    "sso",
    "credentials",
    "endpoint",
    "commands",
    "diagnostics widget integrations",
    "ipython",
)

# Above all packages, from below: functions, the front door, the command line.
ROOF = ("api", "__init__", "__main__")

# Policy knows no view; what shows nothing imports nothing that shows.
BLIND = {"sso", "credentials"}

LONGEST = 400  # lines

LOADED_BY_THE_MAGIC = [
    "",
    "errors",
    "ipython",
    "ipython.at_import",
    "ipython.configuration",
    "ipython.grammar",
    "ipython.magics",
    "settings",
]


@dataclass(frozen=True)
class Door:
    """An outside thing, and the only modules that may touch it."""

    outside: str
    modules: frozenset[str]

    @property
    def documentation(self) -> str:
        return f"{self.outside} through {', '.join(sorted(self.modules)) or 'nobody'}"


DOORS = tuple(
    Door(outside, frozenset(modules.split()))
    for outside, modules in {
        "aiobotocore": "credentials.libraries credentials.provider",
        "distributed": "integrations.dask",
        "cloudpickle": "integrations.dask",
        "icechunk": "credentials.provider_functions",
        "botocore": "aws.clients aws.endpoints aws.plain_clients aws.profile_credentials aws.service_errors "
        "credentials.provider credentials.shared_files integrations.dask_worker",
        "IPython": "ipython.display ipython.grammar ipython.magics ipython.paste_cell",
        "traitlets": "ipython.configuration ipython.magics",
        "prompt_toolkit": "ipython.paste_cell ipython.prompt",
        "filelock": "storage",
        "platformdirs": "state_store",
        "markupsafe": "views.accounts views.diagnosis views.export views.many views.render views.sign_in "
        "views.qr views.sign_in_page widget.html widget.view",
        "segno": "views.qr",
        "ipywidgets": "widget.offer widget.view widget.widgets",
        "dateutil": "sso.cache_files",
        # Of the standard library, what reaches out of this process.
        "sqlite3": "ipython.cell_wipe",
        "webbrowser": "ipython.display",
        "subprocess": "credentials.cached_process diagnostics.gather",
        "socket": "endpoint.request endpoint.server endpoint.token_files",
        "certifi": "aws.plain_clients",
        "http.client": "aws.plain_clients",
        "http.server": "commands.listener endpoint.request",
        "urllib.request": "aws.plain_clients",
        # Never: it would cost every user of the package its import.
        "boto3": "credentials.provider credentials.thread_accounts",
        "nbformat": "commands.scrub commands.stamp",
        "pandas": "views.many",
    }.items()
)

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "handlers", "process"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(house: Path = HOUSE) -> dict[str, Path]:
    """Every module but those of the practice portal, by its dotted name inside the package."""
    found = {}
    for path in sorted(house.rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        if parts[0] != "practice":
            found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return found


def packages() -> list[str]:
    return [name for level in LEVELS for name in level.split()]


def package_of(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def level_of(module: str) -> int:
    """The level of a module's package; the ground is 0, the roof above all."""
    name = package_of(module)
    if name in GROUND:
        return 0
    if name in ROOF:
        return len(LEVELS) + 1 + ROOF.index(name)
    found = [number for number, names in enumerate(LEVELS, 1) if name in names.split()]
    assert found, f"{name} has no level: give it one in LEVELS"
    return found[0]


def imported(path: Path) -> set[str]:
    """Every dotted name that a module imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imported_of_the_house(path: Path, house: dict[str, Path]) -> set[str]:
    """The modules of this package that a module imports, each by the longest name that is one."""
    found = set()
    for name in imported(path):
        first, _, rest = name.partition(".")
        if first == "cuaws_magic":
            parts = rest.split(".")
            known = [".".join(parts[:size]) for size in range(len(parts), 0, -1)]
            found.add(next((one for one in known if one in house), "practice" if parts[0] == "practice" else ""))
    return found - {""}


def upwards(module: str, house: dict[str, Path]) -> set[str]:
    """The imports of a module that do not go down."""
    found = set()
    for name in imported_of_the_house(house[module], house) - {"practice"}:
        same_package = package_of(name) == package_of(module) and name not in GROUND
        on_the_ground = name in GROUND and module in GROUND
        if on_the_ground:
            if GROUND.index(name) >= GROUND.index(module):
                found.add(name)
        elif (not same_package and name != "__init__" and level_of(name) >= level_of(module)) or (
            package_of(module) in BLIND and package_of(name) == "views"
        ):
            found.add(name)
    return found


def circle(house: dict[str, Path]) -> list[str]:
    """The first circle of imports that run at import time or later, types left out of nothing; empty where none is."""
    arrows = {name: imported_of_the_house(path, house) - {"practice", name} for name, path in house.items()}
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        for other in sorted(arrows[name]):
            found = walk(other, [*way, name])
            if found:
                return found
        done.add(name)
        return []

    return next((found for name in sorted(arrows) if (found := walk(name, []))), [])


def told(package: str) -> set[str]:
    """The modules that a package's page names between backticks."""
    page = ast.get_docstring(tree(HOUSE / package / "__init__.py")) or ""
    return set(re.findall(r"`([a-z_]+)`", page))


def writes_environment(path: Path) -> bool:
    """Whether a module changes an environment: `os.environ`, or one that it was given."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            changed = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"putenv", "unsetenv"}:
                return True
            if node.func.attr not in {"update", "pop", "popitem", "setdefault", "clear", "__setitem__"}:
                continue
            changed = node.func.value
        else:
            continue
        if ast.unparse(changed).endswith("environ"):
            return True
    return False


def run(code: str) -> list[str]:
    """Run code in a new Python; returns the lines that it prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()


def test_the_tests_see_the_installed_package():
    """What is tested is what a person installs, not the folder beside the tests."""
    assert Path(__file__).parents[1] / "cuaws_magic" != HOUSE
    assert (HOUSE / "py.typed").exists()


def test_the_top_level_holds_ground_packages_and_roof():
    """Every package has its level, and the top level holds the ground, the roof, and no other file."""
    files = {path.stem for path in HOUSE.glob("*.py")}
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py")} - {"practice"}

    assert files == {*GROUND, *ROOF}
    assert sorted(folders) == sorted(packages())


@pytest.mark.parametrize("package", packages())
def test_a_package_tells_its_modules(package):
    """The page of a package imports nothing, names every module in it, and names none that is not there."""
    page = HOUSE / package / "__init__.py"
    there = {path.stem for path in (HOUSE / package).glob("*.py")} - {"__init__"}

    assert imported(page) == set()
    assert there <= told(package)


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module):
    """A module imports from its own package and from levels below; types and late imports too."""
    assert upwards(module, modules()) == set()


def test_there_is_no_circle():
    """No module imports itself through others, in a package or between them; types and late imports too."""
    assert circle(modules()) == []


@pytest.mark.parametrize("module", sorted(modules()))
def test_others_take_public_names_only(module):
    """A name that begins with an underscore is its own package's business."""
    private = {
        name
        for name in imported(modules()[module])
        if name.startswith("cuaws_magic.")
        and package_of(name.removeprefix("cuaws_magic.")) != package_of(module)
        and any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
    }

    assert private == set()


def test_only_the_command_line_knows_the_practice_portal():
    """Nothing imports `practice` but `__main__`, which starts it."""
    knowing = {name for name, path in modules().items() if "practice" in imported_of_the_house(path, modules())}

    assert knowing == {"__main__"}


def test_the_practice_portal_knows_nobody():
    """`practice` imports nothing else of the package: it is a pretend AWS, not a part of ours."""
    outside = {
        name
        for path in (HOUSE / "practice").glob("*.py")
        for name in imported(path)
        if name.split(".")[0] == "cuaws_magic" and not name.startswith("cuaws_magic.practice")
    }

    assert outside == set()


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.documentation)
def test_one_door_for_each_outside_thing(door):
    """An outside thing is imported by its door and by nobody else; a door that is not used is not one."""
    through = {
        name
        for name, path in modules().items()
        if any(f"{one}.".startswith(f"{door.outside}.") for one in imported(path))
    }

    assert through == door.modules


def test_every_foreign_package_has_a_door():
    """A package that is neither ours nor Python's is in the list of doors."""
    foreign = {name.split(".")[0] for path in modules().values() for name in imported(path)}

    without = foreign - set(sys.stdlib_module_names) - {"cuaws_magic"} - {door.outside for door in DOORS}
    assert without == set()


def test_only_one_module_writes_the_environment():
    """One module alone changes environment variables, which puts every one back; another for a library that does."""
    writing = {name for name, path in modules().items() if writes_environment(path)}

    kernel, workers = {"credentials.native_environment"}, {"credentials.pool_workers", "integrations.dask_worker"}
    assert writing == {*kernel, "credentials.processes", *workers}


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_a_module_is_a_page_that_says_what_it_is(path):
    """A module begins with a docstring, has at most 400 lines, and its name says something."""
    lines = path.read_text(encoding="utf-8").count("\n")

    assert ast.get_docstring(tree(path))
    assert lines <= LONGEST
    assert path.stem not in FORBIDDEN_NAMES


def test_no_module_of_the_top_level_has_the_name_of_a_function():
    """`cuaws_magic.login` is the function: no module or package can stand in its place."""
    assert {package_of(name) for name in modules()} & set(cuaws_magic.__all__) == set()


def test_public_names_are_those_of_all():
    """`__all__` is sorted, each of its names is there, `dir()` shows them, and no other name answers."""
    missing = [name for name in cuaws_magic.__all__ if getattr(cuaws_magic, name, None) is None]

    assert sorted(cuaws_magic.__all__) == cuaws_magic.__all__ == dir(cuaws_magic)
    assert missing == []
    with pytest.raises(AttributeError, match="no attribute 'app_'"):
        cuaws_magic.app_  # noqa: B018 - asking is the test


def test_every_public_function_has_its_name_at_the_front():
    """What `api` offers is what `import cuaws_magic` offers, beside errors and IPython's two hooks."""
    defined = {
        node.name
        for node in tree(HOUSE / "api.py").body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }

    others = {"CuawsError", "__version__", "load_ipython_extension", "unload_ipython_extension"}
    assert defined == set(cuaws_magic.__all__) - others


def test_importing_the_package_imports_nothing_else():
    """`import cuaws_magic` costs one module: neither the rest of the package nor IPython comes with it."""
    loaded = run("import sys, cuaws_magic; print(*sys.modules, sep='\\n')")

    assert [name for name in loaded if name.startswith("cuaws_magic")] == ["cuaws_magic"]
    assert "IPython" not in loaded


def test_loading_the_magic_imports_nothing_heavy():
    """What `%load_ext` imports has no boto3, botocore, ipywidgets or nbformat in it, and of ours the grammar only."""
    loaded = run("import sys, cuaws_magic.ipython.magics; print(*sys.modules, sep='\\n')")
    ours = [name.removeprefix("cuaws_magic").removeprefix(".") for name in loaded if name.startswith("cuaws_magic")]

    heavy = {"boto3", "botocore", "ipywidgets", "nbformat", "filelock", "platformdirs"}
    assert sorted(ours) == LOADED_BY_THE_MAGIC
    assert heavy & set(loaded) == set()


MAP = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_map_for_people_is_this_one():
    """CONTRIBUTING begins with the same packages on the same levels, from the top down."""
    drawn = {
        int(line[0]): re.findall(r"([a-z]+)/", line.split("  ")[1] + line[3:].split("→")[0])
        for line in MAP.splitlines()
        if re.match(rf"[1-{len(LEVELS)}]  ", line)
    }

    assert {number: sorted(set(names)) for number, names in drawn.items()} == {
        number: sorted(names.split()) for number, names in enumerate(LEVELS, 1)
    }


def test_every_module_on_the_map_is_there():
    """A module that CONTRIBUTING names exists."""
    named = set(
        re.findall(
            r"\b((?:ipython|diagnostics|widget|commands|endpoint|credentials|sso|views|aws|config)/[a-z_]+)\b", MAP
        )
    )

    assert {name.replace("/", ".") for name in named if "test_" not in name} <= set(modules())
