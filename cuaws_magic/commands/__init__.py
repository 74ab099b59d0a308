"""
The commands: one module for what each `%cuaws …` does. Knows no IPython.

`context` wires one object per kernel; every command is a function of it. `approval` has a person approve a sign-in,
whose browser may come back to a `callback` with its `listener`, or nobody where it runs `unattended`; `reach` says
how credentials get to other programs. Then the commands: `login` (and logout), `use` (with `use_profile` for what
botocore resolves; AWS is asked to `confirm`, with an `early` card, and a person where it is `production`; `last_used`
is remembered; a cell may go on `waiting` for the next sign-in), `status` (and whoami, release), `accounts`, `paste`,
`configure` (and forget), `export`, `console`. `sessions` gives libraries credentials of any account, `many` runs
something in many; `credential_process` is the program behind a profile, `stamp` says in a notebook which account it
is for, `scrub` takes secrets out of one, `seen` remembers which there were, `autoload` writes the IPython profile.
`hints` is what a person is told around a cell, `reasons` why one failed; `names` what can be typed, for completion.
"""
