"""The house: what may import what, and who holds the door to each outside thing."""

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
from cuaws_magic.ipython.grammar import Grammar

HOUSE = Path(cuaws_magic.__file__).parent

# From the ground up; a module may import only from floors below its own. A new module gets its place here.
FLOORS = (
    (
        "the words, the numbers, the pen, and what stands alone",
        "changes failures finding interrupts library_state model render settings unlogged",
    ),
    (
        "errors in those words; small doors, small pure parts",
        """account_list boto_clients boto_provider cell_wipe errors exports kernel_env panel_keys panel_style
        renewal sign_in_card snapshot""",
    ),
    (
        "rules, protocols and results; how to write a file",
        """aws_hosts config_text device_flow errands files pacing pasted results
        doctor_environment doctor_files doctor_programs""",
    ),
    (
        "the files of this home; foreign errors",
        "aws_files config_edits doctor hidden_prompt in_use_card own_state service_errors token_cache",
    ),
    (
        "the services; which organisation; changing a file",
        "config_difference config_writer doctor_card organisation profile_credentials profiles questions",
    ),
    (
        "what is asked of them",
        "identity_center",
    ),
    ("how a sign-in is asked for", "profile_cards sign_in_gateway"),
    ("how a kernel comes to be signed in", "login"),
    ("what a sign-in gives", "approval broker directory sign_in_choice"),
    ("where credentials come from", "sources"),
    ("what a person does with it", "kernel_credentials logout show sign_in_desk targets"),
    ("what stands on targets and credentials", "catalogue cell_watch console entry examination handover"),
    ("what there is to type", "commands paste_desk profile_book"),
    ("what stands beside an account", "side_desk"),
    ("one object per kernel", "app"),
    ("the panel: what it shows", "panel_state"),
    ("the panel: as HTML", "panel_html"),
    ("the panel: as widgets", "panel_widgets"),
    ("the panel: choosing", "panel_choice"),
    ("the panel: what it does", "panel"),
    ("the panel on the page", "panel_view"),
    ("a cell with keys in it", "paste_cell"),
    ("the faces", "functions magics"),
    ("the front door and the command line", "__init__ __main__"),
)

LONGEST = 360  # lines


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
        "aiobotocore": "boto_provider library_state",
        "botocore": "boto_clients boto_provider profile_credentials service_errors",
        "IPython": "commands magics paste_cell show",
        "traitlets": "magics",
        "filelock": "files",
        "platformdirs": "own_state",
        "prompt_toolkit": "hidden_prompt",
        "markupsafe": "console doctor_card handover panel_html panel_keys panel_view render results sign_in_card",
        "ipywidgets": "panel_view panel_widgets",
        "dateutil": "token_cache",
        # Of the standard library, what reaches out of this process.
        "sqlite3": "cell_wipe",
        "webbrowser": "show",
        "subprocess": "examination",
        "socket": "",
        "http.client": "",
        "http.server": "",
        "urllib.request": "",
        # Never: it would cost every user of the package its import.
        "boto3": "",
        "nbformat": "",
    }.items()
)

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "handlers", "process"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules() -> dict[str, Path]:
    return {path.stem: path for path in sorted(HOUSE.glob("*.py"))}


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


def imported_of_the_house(path: Path) -> set[str]:
    found = {name.split(".")[1] for name in imported(path) if name.startswith("cuaws_magic.")}
    return {name for name in found if name in modules() or (HOUSE / name).is_dir()}


def floor_of(module: str) -> int:
    found = [number for number, (_, names) in enumerate(FLOORS) if module in names.split()]
    assert found, f"{module} has no floor: give it one in FLOORS"
    return found[0]


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


def test_every_module_has_its_floor():
    """Each module stands on exactly one floor, and each name on a floor is a module."""
    on_floors = sorted(name for _, names in FLOORS for name in names.split())

    assert on_floors == sorted(modules())


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module):
    """A module imports only from floors below its own, so there is no cycle; types and late imports too."""
    upwards = {
        name
        for name in imported_of_the_house(modules()[module]) - {"practice"}
        if floor_of(name) >= floor_of(module) and name != "__init__"
    }

    assert upwards == set()


def test_only_the_command_line_knows_the_practice_portal():
    """Nothing imports `practice` but `__main__`, which starts it."""
    knowing = {name for name, path in modules().items() if "practice" in imported_of_the_house(path)}

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
    """`kernel_env` alone changes environment variables, so that it can put every one of them back."""
    writing = {name for name, path in modules().items() if writes_environment(path)}

    assert writing == {"kernel_env"}


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_a_module_is_a_page_that_says_what_it_is(path):
    """A module begins with a docstring, is not much over 350 lines, and its name says something."""
    lines = path.read_text(encoding="utf-8").count("\n")

    assert ast.get_docstring(tree(path))
    assert lines <= LONGEST
    assert path.stem not in FORBIDDEN_NAMES


def test_public_names_are_those_of_all():
    """`__all__` is sorted, each of its names is there, `dir()` shows them, and no other name answers."""
    missing = [name for name in cuaws_magic.__all__ if getattr(cuaws_magic, name, None) is None]

    assert sorted(cuaws_magic.__all__) == cuaws_magic.__all__ == dir(cuaws_magic)
    assert missing == []
    with pytest.raises(AttributeError, match="no attribute 'app_'"):
        cuaws_magic.app_  # noqa: B018 - asking is the test


def test_every_public_function_has_its_name_at_the_front():
    """What `functions` offers is what `import cuaws_magic` offers, beside errors and IPython's two hooks."""
    defined = {node.name for node in tree(HOUSE / "functions.py").body if isinstance(node, ast.FunctionDef)}

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
    ours = [name.removeprefix("cuaws_magic.") for name in loaded if name.startswith("cuaws_magic.")]

    heavy = {"boto3", "botocore", "ipywidgets", "nbformat", "filelock", "platformdirs"}
    assert sorted(ours) == ["commands", "errors", "exports", "failures", "magics", "settings"]
    assert heavy & set(loaded) == set()


CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
MAP, WAYS = CONTRIBUTING.read_text(encoding="utf-8").split("holds this map", 1)


def test_the_map_for_people_is_this_one():
    """CONTRIBUTING begins with the same house: `python scripts/house_map.py` writes it there."""
    on_the_map = [line.split("`")[1] for line in MAP.splitlines() if line.startswith("|") and "`" in line]

    assert on_the_map[:-1] == [name for _, names in reversed(FLOORS) for name in names.split()]


def test_the_way_of_each_command_is_told():
    """Below the map, every command has its row, and every module named there exists."""
    rows = [line.split("|")[1:3] for line in WAYS.splitlines() if line.startswith("| ")][1:]
    commands = {name for command, _ in rows for name in re.findall("`([a-z]+)`", command)}
    named = {name for _, way in rows for name in re.findall("`([a-z_]+)`", way)}

    assert commands == set(Grammar().names) - {"status", "whoami"}
    assert named <= set(modules())
