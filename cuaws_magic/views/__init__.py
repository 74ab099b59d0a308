"""
What commands return: values that show themselves, as HTML on a page and as text everywhere else.

`render` draws: cards, facts, tables, and the protocols for showing them. The others hold
the views of one kind of command each: `sign_in` with its `qr` code, `sign_in_page`, `account`,
`accounts`, `profiles`, `export`, `diagnosis`, `many`. None of them holds a secret or asks anybody anything.
"""
