"""
The commands: one module for what each `%cuaws …` does. Knows no IPython.

`context` wires one object per kernel. `approval` has a person approve a sign-in. Then the
commands: `login`, `use`, `accounts`, `paste`, `configure`, `export`, `console`; `hints`
is what a person is told around a cell.
"""
