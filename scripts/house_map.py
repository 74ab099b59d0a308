"""Write the map of the house into CONTRIBUTING.md: the floors of `tests/test_house.py`, each module's first line."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "| floor | module | one line |"
END = "`tests/test_house.py` holds this map"
# Words that keep their capital in the middle of a sentence.
_NAMES = ("AWS", "IAM", "RFC")


def floors() -> list[tuple[str, list[str]]]:
    """Return the floors from the ground up, with their modules."""
    tree = ast.parse((ROOT / "tests" / "test_house.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FLOORS":
            return [(title, modules.split()) for title, modules in ast.literal_eval(node.value)]
    message = "tests/test_house.py has no FLOORS"
    raise LookupError(message)


def first_line(module: str) -> str:
    """Return the first paragraph of a module's docstring, as part of a sentence."""
    tree = ast.parse((ROOT / "cuaws_magic" / f"{module}.py").read_text(encoding="utf-8"))
    said = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split()).rstrip(".:")
    return said if said.startswith(_NAMES) else said[:1].lower() + said[1:]


def house_map() -> str:
    """Return the table, from the roof down."""
    rows = [HEAD, "|---|---|---|"]
    for title, modules in reversed(floors()):
        for index, module in enumerate(modules):
            rows.append(f"| {'' if index else title} | `{module}` | {first_line(module)} |")
    rows.append("| beside the house | `practice/` | the practice portal; imports nothing of ours |")
    return "\n".join(rows)


if __name__ == "__main__":
    path = ROOT / "CONTRIBUTING.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index(HEAD)] + house_map() + "\n\n" + text[text.index(END) :], encoding="utf-8")
